# Terraform, OpenTofu: an instance that takes session tokens only, with imds installed by its user data.
resource "aws_instance" "example" {
  ami           = var.ami
  instance_type = "t4g.small"

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  user_data = file("${path.module}/user-data.sh")
}

variable "ami" {
  type        = string
  description = "The image to start from."
}
