"""Prints what tensorboard's own reader finds in a folder of event files, one line a fact."""

import io
import sys

from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"images": 0, "scalars": 0, "histograms": 0})
events.Reload()
tags = events.Tags()
for tag in tags["scalars"]:
    print("scalar", tag, [(event.step, round(event.value, 6)) for event in events.Scalars(tag)])
for tag in tags["images"]:
    for event in events.Images(tag):
        picture = Image.open(io.BytesIO(event.encoded_image_string))
        print("image", tag, event.step, (event.width, event.height) == picture.size, picture.getpixel((0, 0)))
for tag in tags["histograms"]:
    for event in events.Histograms(tag):
        h = event.histogram_value
        print("histogram", tag, event.step, h.min, h.max, h.num, h.sum, h.sum_squares, h.bucket_limit, h.bucket)
