# One environment: a network, a regional cluster with its nodes, a registry near them, and the pipeline's way in.
# docs/deploy.md puts the platform onto it.

terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }

  # The bucket is made once by hand, with versions (terraform/README.md), and named by
  # terraform init -backend-config=bucket=NAME. Cloud Storage locks the state by itself.
  backend "gcs" {
    prefix = "pedidos-veloz/example"
  }
}

provider "google" {
  project = var.project
  region  = var.region
}

module "network" {
  source = "../../modules/network"
  name   = var.name
  region = var.region
}

module "cluster" {
  source              = "../../modules/cluster"
  project             = var.project
  name                = var.name
  region              = var.region
  network             = module.network.network
  subnetwork          = module.network.subnetwork
  administrators      = var.administrators
  deletion_protection = var.deletion_protection
}

module "node_pool" {
  source       = "../../modules/node-pool"
  project      = var.project
  name         = var.name
  cluster      = module.cluster.name
  region       = var.region
  machine_type = var.machine_type
  min_nodes    = var.min_nodes
  max_nodes    = var.max_nodes
}

module "registry" {
  source = "../../modules/registry"
  name   = var.name
  region = var.region
}

module "pipeline" {
  source     = "../../modules/pipeline"
  project    = var.project
  name       = var.name
  repository = var.repository
  branch     = var.branch
}
