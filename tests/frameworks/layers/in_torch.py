"""Train torch's batch norm, and call its layers on whole numbers."""

import torch
from asked import answer, given, recipe

batches, momentum, eps = torch.tensor(given["batches"]), float(given["torch_momentum"]), float(given["epsilon"])


def trained(kind):
    layer = kind(batches.shape[2], eps=eps, momentum=momentum, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(given["gamma"]))
        layer.bias.copy_(torch.tensor(given["beta"]))
    for x in batches:
        layer(x).square().sum().backward()
    return layer


layer, biased = trained(torch.nn.BatchNorm2d), trained(recipe("biased")(torch.nn.BatchNorm2d))
image = torch.tensor(given["image"])
convolution = torch.nn.Conv2d(2, 4, 3, dtype=torch.float64)
dense = torch.nn.Linear(4 * 3 * 4, 5, dtype=torch.float64)
with torch.no_grad():
    convolution.weight.copy_(torch.tensor(given["convolution"]))
    dense.weight.copy_(torch.tensor(given["dense"]))
    for module in (convolution, dense):
        module.bias.zero_()
    y = layer.eval()(batches[0])
    whole = dense(convolution(image).flatten(1))
state = {f"state_{name}": value.numpy() for name, value in layer.state_dict().items()}
bias = torch.nn.Linear(400, 10000).bias.detach().numpy()
answer(y=y.numpy(), whole=whole.numpy(), biased=biased.running_var.numpy(), bias=bias, **state)
