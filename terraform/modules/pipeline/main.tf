# Who may roll out: the jobs of one environment of one GitHub repository, as a service account that has no key to lose. A job
# shows the token that GitHub signs for it, and gets an hour of the account in return.

resource "google_iam_workload_identity_pool" "github" {
  workload_identity_pool_id = "${var.name}-github"
  description               = "GitHub's jobs that roll out"
}

resource "google_iam_workload_identity_pool_provider" "github" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"

  # GitHub signs for everybody: without this, any repository in the world would be let in. A pull request's job fails twice,
  # for its ref is not the branch, and it has no environment.
  attribute_condition = join(" && ", [
    "assertion.repository == '${var.repository}'",
    "assertion.environment == '${var.environment}'",
    "assertion.ref == 'refs/heads/${var.branch}'",
  ])
  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
  }

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account" "rollout" {
  account_id   = "${var.name}-ci"
  display_name = "Rollouts of ${var.repository}"
}

resource "google_service_account_iam_member" "github" {
  service_account_id = google_service_account.rollout.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github.name}/attribute.repository/${var.repository}"
}

# Finds the cluster and reaches its control plane (container.clusters.get and .connect), and may do nothing in it: that is
# the Role in rbac.yaml.tftpl. roles/container.developer would need no Role, but reads the Secrets of every namespace of every
# cluster of the project.
resource "google_project_iam_member" "rollout" {
  project = var.project
  role    = "roles/container.clusterViewer"
  member  = "serviceAccount:${google_service_account.rollout.email}"
}
