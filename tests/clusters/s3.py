"""S3 on a pretend host: S3Proxy over a folder, which checks signatures, and Hadoop's client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fetch
import java
from hosts import JVM, Host
from process import running

S3PROXY = fetch.Artifact(
    "org.gaul:s3proxy:4.1.0:jar:jar-with-dependencies",
    "a4d025969aaf796616ed4b1e2491d87d455ce84bb28cb9db086b2e6aaa68b48d",
)
# hadoop-aws with the few modules of the SDK that it needs, less what Spark brings.
CLIENT = fetch.locked(Path(__file__).with_name("s3a.lock"))
BUCKET = "gavial"
PORT = 7070
KEYS = ("gavialtest", "gavialsecret123")


@contextmanager
def start(host: Host, folder: Path) -> Iterator[dict[str, str]]:
    """S3 whose files are in that host's `/tmp`; Spark's settings for it."""
    properties = folder / "s3proxy.properties"
    url = f"http://{host.name}:{PORT}"
    properties.write_text(
        f"s3proxy.endpoint={url}\n"
        "s3proxy.authorization=aws-v2-or-v4\n"
        f"s3proxy.identity={KEYS[0]}\n"
        f"s3proxy.credential={KEYS[1]}\n"
        "jclouds.provider=filesystem-nio2\n"
        "jclouds.filesystem.basedir=/tmp/s3\n"
    )
    host.run("mkdir", "-p", f"/tmp/s3/{BUCKET}")
    jar = str(fetch.fetched(S3PROXY))
    command = host.command(
        java.command(), *JVM, "-Xmx128m", "-jar", jar, "--properties", properties
    )
    with running(command, folder / "s3.log", lambda: host.listens(PORT), seconds=60):
        class_path = fetch.jars(CLIENT)
        yield {
            "spark.driver.extraClassPath": class_path,
            "spark.executor.extraClassPath": class_path,
            "spark.hadoop.fs.s3a.endpoint": url,
            "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
            "spark.hadoop.fs.s3a.path.style.access": "true",
            "spark.hadoop.fs.s3a.access.key": KEYS[0],
            "spark.hadoop.fs.s3a.secret.key": KEYS[1],
            "spark.hadoop.fs.s3a.aws.credentials.provider": (
                "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider"
            ),
        }
