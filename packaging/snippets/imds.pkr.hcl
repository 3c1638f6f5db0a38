# Packer: an image with imds in it, built over IMDSv2 and set to require it.
source "amazon-ebs" "example" {
  region        = "us-east-1"
  instance_type = "t4g.small"
  source_ami    = var.ami
  ssh_username  = "ec2-user"
  ami_name      = "with-imds"
  imds_support  = "v2.0"

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }
}

build {
  sources = ["source.amazon-ebs.example"]

  provisioner "shell" {
    execute_command = "sudo sh {{ .Path }}"
    script          = "user-data.sh"
  }
}

variable "ami" {
  type = string
}
