"""Links to pictures.

Workers see faces by links that name no face and expire: from your own server (`LocalHosting`, which turns a link back
into the key), or from a bucket (`S3Hosting`, `pip install 'galloway[market]'`).
"""

# Names: Hosting LocalHosting S3Hosting

from datetime import timedelta

from galloway.mturk import LocalHosting

hosting = LocalHosting(b"sixteen bytes or more", "https://pictures.example.org/i")
link = hosting.url("5f0c7a3d9be14d2f8c6b1a7e90d3c4b2", timedelta(days=2))
print(link, hosting.resolve(link.rsplit("/", 1)[1]))
