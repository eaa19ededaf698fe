from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

from scripts.stack.state import ROOT
from tests.deploy.programs import needs

pytestmark = needs("logrotate")


def test_a_log_of_cron_s_runs_is_rotated(tmp_path: Path) -> None:
    conf = tmp_path / "facequeue"
    user = pwd.getpwuid(os.getuid()).pw_name
    text = (ROOT / "deploy/logrotate/facequeue").read_text()
    text = text.replace("/var/log/facequeue", str(tmp_path))
    conf.write_text(text.replace("facequeue facequeue", f"{user} {user}"))
    conf.chmod(0o644)
    (tmp_path / "backup.log").write_text("done\n")

    done = subprocess.run(  # noqa: S603 - the tool of this machine
        ["logrotate", "--force", "--state", tmp_path / "state", conf],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "backup.log.1").read_text() == "done\n"
    assert (tmp_path / "backup.log").read_text() == ""
