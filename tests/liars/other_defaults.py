"""Right in all that it is told, and with defaults of its own: one that a dialect has, one that nothing has."""

import functools

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import batch_norm_train as honest_batch_norm
from nnconform.adapters.numpy import elu as honest_elu

adapter = Adapter("liar", requires=("numpy",))

elu = functools.partial(honest_elu, alpha=0.25)
batch_norm = functools.partial(honest_batch_norm, epsilon=1e-5, momentum=0.99)

adapter.implements("elu", "liar.elu", defaults=True)(elu)
adapter.implements("batch_norm_train", "liar.batch_norm", defaults=True)(batch_norm)
