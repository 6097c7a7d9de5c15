output "service_account" {
  description = "E-mail of the nodes' identity."
  value       = google_service_account.nodes.email
}
