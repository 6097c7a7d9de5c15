# The pipeline pushes to GHCR; here is what the nodes have asked for, fetched from there once and kept in the region. A new
# node pulls from near and not through the NAT gateway, and during a campaign does not wait for GHCR. Nothing is pushed here.

resource "google_artifact_registry_repository" "this" {
  repository_id = var.name
  location      = var.region
  format        = "DOCKER"
  mode          = "REMOTE_REPOSITORY"
  description   = "Images of Pedidos Veloz, as GHCR has them"

  # Without credentials: the packages are public, as they must be for nodes that pull from GHCR itself.
  remote_repository_config {
    description = "GitHub's container registry"
    common_repository {
      uri = "https://ghcr.io"
    }
  }

  # A copy that is missed is fetched again.
  cleanup_policies {
    id     = "old"
    action = "DELETE"
    condition {
      older_than = "2592000s" # 30 days
    }
  }
}
