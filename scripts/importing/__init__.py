"""Pushing a whole S3 prefix through FaceQueue: what scripts/import_s3.py is made of."""
