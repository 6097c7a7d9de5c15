output "address" {
  description = "What stands in an image's name in the place of ghcr.io."
  value       = "${var.region}-docker.pkg.dev/${google_artifact_registry_repository.this.project}/${var.name}"
}
