output "credentials" {
  description = "Run this to have kubectl talk to the cluster."
  value       = "gcloud container clusters get-credentials ${module.cluster.name} --region ${var.region} --project ${var.project}"
}

output "registry" {
  description = "What image names begin with."
  value       = "${var.region}-docker.pkg.dev/${var.project}/${var.name}"
}
