"""Has markup wherever an adapter can put text: in its names, in what it prints and in its errors."""

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

HARM = "</script><script>window.harmed=1</script><img src=x onerror=window.harmed=2>"
adapter = Adapter(f"liar{HARM}", requires=("numpy",))


@adapter.implements("clip_by_value", f"liar.{HARM}'\"&amp;")
def clip_by_value(gradients, *, clipvalue):
    """Raises where the threshold is small."""
    if clipvalue == 0.01:
        print(HARM)
        raise ValueError(f"{HARM}\n{HARM}")
    return honest(gradients, clipvalue=clipvalue)
