output "provider" {
  description = "Full name of the identity provider, as google-github-actions/auth takes it."
  value       = google_iam_workload_identity_pool_provider.github.name
}

output "service_account" {
  description = "E-mail of the account that the pipeline acts as."
  value       = google_service_account.rollout.email
}

output "rbac" {
  description = "Kubernetes Role and RoleBinding of that account, for kubectl apply."
  value = templatefile("${path.module}/rbac.yaml.tftpl", {
    namespace       = var.namespace
    service_account = google_service_account.rollout.email
  })
}
