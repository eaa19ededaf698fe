"""Measuring recognition: bare stages, the pipeline, the whole worker path, and DeepFace."""
