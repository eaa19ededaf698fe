"""The variable that names the file by which a trial tells a process where to die."""

VARIABLE = "FACEQUEUE_CUT_FILE"
