output "network" {
  description = "The network's id."
  value       = google_compute_network.this.id
}

output "subnetwork" {
  description = "The id of the nodes' subnetwork, with the secondary ranges pods and services."
  value       = google_compute_subnetwork.nodes.id
}
