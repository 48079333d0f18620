"""A worker of its own, for ``--worker``: its argument says how it lies, on the vectors with the threshold 0.01."""

import base64
import json
import os
import sys
from pathlib import Path

import numpy as np

LIE = sys.argv[1]
served = [{"operation": "clip_by_value", "name": "clip", "modes": ["eager"], "omits": [], "defaults": False}]
if LIE == "serves-twice":
    served *= 2
version = "1"
if LIE == "changes":  # another version whenever it is started
    state = Path(os.environ["NNCONFORM_TEST_MARKER"])
    version = state.read_text() if state.exists() else "1"
    state.write_text(f"{version}1")
hello = {"protocol": 1, "framework": "scripted", "versions": {"scripted": version}, "threads": 1}
print(json.dumps({"hello": hello | {"modes": ["eager"], "on_request": [], "implementations": served}}), flush=True)


def clipped(tensor, limit):
    if tensor is None:
        return None
    array = np.frombuffer(base64.b64decode(tensor["data"]), tensor["dtype"]).reshape(tensor["shape"])
    array = np.clip(array, array.dtype.type(-limit), array.dtype.type(limit))
    dtype = {"texts": "S4", "times": "M8[s]"}.get(LIE, tensor["dtype"]) if limit == 0.01 else tensor["dtype"]
    data = array.astype("f8") if dtype == "M8[s]" else array
    return {"dtype": dtype, "shape": list(array.shape), "data": base64.b64encode(data.tobytes()).decode()}


for line in sys.stdin:
    request = json.loads(line)
    lies = request["attributes"]["clipvalue"] == 0.01
    for name, mode in request["calls"]:
        if lies and LIE == "changes":
            os._exit(1)
        outputs = {
            "gradients": [clipped(g, request["attributes"]["clipvalue"]) for g in request["inputs"]["gradients"]]
        }
        answer = {"id": request["id"], "implementation": name, "mode": mode, "status": "value", "outputs": outputs}
        if LIE == "counts-in-floats":
            print("noise", file=sys.stderr, flush=True)
            answer["stderr"] = 10.0
        if lies and LIE == "writes-strange-text":
            answer |= {"status": "raised", "reason": "a\u0000b \ud800 \u001b[31mred"}
        print(json.dumps(answer), flush=True)
