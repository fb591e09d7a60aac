"""S3 hosting against moto's S3."""

import boto3
import pytest
from galloway.mturk.requester.errors import MTurkError
from galloway.mturk.requester.hosting import S3Hosting
from moto import mock_aws

FACE = "0123456789abcdef0123456789abcdef"


@pytest.mark.filterwarnings("ignore")
def test_s3_keeps_and_erases_images() -> None:
    with mock_aws():
        store = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        images = S3Hosting("faces", b"secret", region="us-east-1", access_key="a", secret_key="b")
        with pytest.raises(MTurkError, match="bucket 'faces' refused put_object"):
            images.upload(FACE, b"jpeg")
        store.create_bucket(Bucket="faces")
        images.upload(FACE, b"jpeg")
        images.upload(FACE, b"jpeg")
        kept = store.get_object(Bucket="faces", Key=images.object_name(FACE))
        assert (kept["Body"].read(), kept["ContentType"]) == (b"jpeg", "image/jpeg")
        images.erase(FACE)
        assert store.list_objects_v2(Bucket="faces")["KeyCount"] == 0
