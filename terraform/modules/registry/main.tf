# A registry beside the cluster, for who does not pull from GHCR. What is old and untagged goes.

resource "google_artifact_registry_repository" "this" {
  repository_id = var.name
  location      = var.region
  format        = "DOCKER"
  description   = "Images of Pedidos Veloz"

  cleanup_policies {
    id     = "old-untagged"
    action = "DELETE"
    condition {
      tag_state  = "UNTAGGED"
      older_than = "2592000s" # 30 days
    }
  }
}
