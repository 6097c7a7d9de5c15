output "name" {
  description = "The cluster's name, for the node pool and for gcloud container clusters get-credentials."
  value       = google_container_cluster.this.name
}

output "endpoint" {
  description = "Address of the control plane."
  value       = google_container_cluster.this.endpoint
  sensitive   = true
}
