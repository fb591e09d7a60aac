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
            images.put([(FACE, lambda: b"jpeg")])
        store.create_bucket(Bucket="faces")
        others = [(f"{number:032x}", lambda: b"other") for number in range(1200)]
        images.put([(FACE, lambda: b"jpeg"), *others])
        images.put([(FACE, lambda: b"jpeg")])
        kept = store.get_object(Bucket="faces", Key=images.object_name(FACE))
        assert (kept["Body"].read(), kept["ContentType"]) == (b"jpeg", "image/jpeg")
        neighbour = S3Hosting("faces", b"another secret", region="us-east-1", access_key="a", secret_key="b")
        neighbour.put([(FACE, lambda: b"theirs")])
        assert images.keep_only({FACE}) == 1200
        assert images.keep_only({FACE}) == 0
        assert images.keep_only(()) == 1
        (left,) = store.list_objects_v2(Bucket="faces")["Contents"]
        assert left["Key"] == neighbour.object_name(FACE)
