"""The FastAPI server that `npm run bench:serve` measures beside `dermlet serve`: the same network, in the way such
servers are written (Pillow, NumPy, native ONNX Runtime). Its answers are those of the retired server's first version.

    MODEL=../../../models/skin-8 python -m uvicorn server:app --port 8001
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import onnxruntime
from fastapi import FastAPI, HTTPException, UploadFile
from PIL import Image, ImageOps

folder = Path(os.environ["MODEL"])
manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
wanted = manifest["input"]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(os.environ.get("THREADS", "1"))
session = onnxruntime.InferenceSession(str(folder / manifest["file"]["path"]), options)
names = [entry["name"] for entry in manifest["classes"]]
app = FastAPI()


def pixels(data: bytes) -> np.ndarray:
    """The middle of a picture as the network takes it, NCHW."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    side = round(min(picture.size) * wanted["cropPct"])
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    size = (wanted["width"], wanted["height"])
    seen = picture.resize(size, Image.Resampling.BICUBIC, (left, top, left + side, top + side))
    scaled = (np.asarray(seen, np.float32) - np.float32(wanted["mean"])) / np.float32(wanted["std"])
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


@app.get("/health")
def health() -> dict[str, Any]:
    return {"status": "healthy", "model_loaded": True, "available_classes": names}


@app.post("/predict")
def predict(file: Annotated[UploadFile, "picture"]) -> dict[str, Any]:
    try:
        seen = pixels(file.file.read())
    except (OSError, ValueError) as error:
        raise HTTPException(400, "File must be an image") from error
    logits = session.run([manifest["outputs"]["scores"]], {wanted["name"]: seen})[0][0]
    scores = np.exp(logits - logits.max())
    scores /= scores.sum()
    best = scores.argsort()[::-1][:3]
    ranked = [{"class_name": names[k], "confidence": float(scores[k])} for k in best]
    return {"predicted_class": names[best[0]], "confidence": float(scores[best[0]]), "all_predictions": ranked}
