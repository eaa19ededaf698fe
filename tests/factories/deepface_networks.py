"""The beginning of a program that builds a network of DeepFace's with random weights."""

from __future__ import annotations

# DeepFace would download the weights: it gets a loader that does nothing. The first argument is the
# file that the program is to write.
WITHOUT_WEIGHTS = """
import os, sys
os.environ |= {"DEEPFACE_BACKEND_ENGINE": "tensorflow", "TF_USE_LEGACY_KERAS": "1",
               "DEEPFACE_HOME": os.path.dirname(sys.argv[1]), "TF_CPP_MIN_LOG_LEVEL": "3"}
from deepface.commons import weight_utils
weight_utils.download_weights_if_necessary = lambda **_: ""
weight_utils.load_model_weights = lambda model, weight_file: model
import tensorflow as tf
tf.random.set_seed(20)
"""
