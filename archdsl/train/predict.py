"""The classes that a network sees in an image, pixel by pixel.

Legend of shape suffixes: B images, K classes, H height, W width.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from archdsl.data.augment import normalise
from archdsl.data.model import IMAGENET_MEAN, IMAGENET_STD, Bytes
from archdsl.train.evaluate import Views, probabilities
from archdsl.train.ready import Ready
from archdsl.train.refused import Refused


def told(network: Ready) -> tuple[str, ...]:
    """What a user should know, a sentence each."""
    if network.statistics is not None:
        return network.told
    said = f"nothing says how images were prepared for `{network.written}`: mean and deviation of ImageNet are taken"
    return (*network.told, said)


@torch.no_grad()
def predict(
    network: Ready,
    image: Bytes,
    device: torch.device,
    *,
    size: tuple[int, int] | None = None,
    views: Views | None = None,
) -> Bytes:
    """The class of each pixel, HxW, of an RGB image HxWx3.

    The network sees the image at `size` (height, width) where one is given, and its classes are brought back to the
    size of the image. Raises Refused where an image does not fit a compiled file, or views cannot be averaged.
    """
    views = views or Views()
    if network.labels and (views.flip or len(views.scales) > 1):
        raise Refused(f"`{network.written}` gives labels, and views are averaged before there are any")
    image_B3HW = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None].to(device)
    ready = normalise(image_B3HW, *(network.statistics or (IMAGENET_MEAN, IMAGENET_STD)))
    if size is not None and size != image.shape[:2]:
        ready = nn.functional.interpolate(ready, size, mode="bilinear", align_corners=False, antialias=True)
    shares_BKHW = probabilities(network.logits, ready, network.padding_multiple, views)
    if shares_BKHW.shape[-2:] != image.shape[:2]:
        shares_BKHW = nn.functional.interpolate(shares_BKHW, image.shape[:2], mode="bilinear", align_corners=False)
    return shares_BKHW.argmax(1)[0].to(torch.uint8).cpu().numpy()
