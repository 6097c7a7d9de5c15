output "id" {
  description = "The repository's id."
  value       = google_artifact_registry_repository.this.id
}
