locals {
  # The registry keeps GHCR's paths, which are in small letters.
  registry = "${module.registry.address}/${lower(split("/", var.repository)[0])}"
}

output "credentials" {
  description = "Run this to have kubectl talk to the cluster."
  value       = "gcloud container clusters get-credentials ${module.cluster.name} --location ${var.region} --project ${var.project} --dns-endpoint"
}

output "registry" {
  description = "What image names begin with, in the place of ghcr.io/OWNER."
  value       = local.registry
}

output "rbac" {
  description = "What the pipeline may do in the cluster, for kubectl apply."
  value       = module.pipeline.rbac
}

output "repository_variables" {
  description = "The variables of the GitHub repository that its pipeline needs, as lines of NAME=value."
  value       = <<-EOT
    GCP_WORKLOAD_IDENTITY_PROVIDER=${module.pipeline.provider}
    GCP_SERVICE_ACCOUNT=${module.pipeline.service_account}
    GKE_CLUSTER=${module.cluster.name}
    GKE_LOCATION=${var.region}
    DEPLOY_REGISTRY=${local.registry}
  EOT
}
