"""Train torch's batch norm, and call its layers on whole numbers."""

import torch
from asked import answer, call, every_call, given

torch.set_default_dtype(torch.float64)
batches = torch.tensor(given["batches"])


def trained(place):
    layer = call("batch norm in training", place, torch=torch, C=batches.shape[2])
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(given["gamma"]))
        layer.bias.copy_(torch.tensor(given["beta"]))
    for x in batches:
        layer(x).square().sum().backward()
    return layer


layer, biased = trained(0), trained(1)
image = torch.tensor(given["image"])
convolution, dense = torch.nn.Conv2d(2, 4, 3), torch.nn.Linear(4 * 3 * 4, 5)
with torch.no_grad():
    convolution.weight.copy_(torch.tensor(given["convolution"]))
    dense.weight.copy_(torch.tensor(given["dense"]))
    for module in (convolution, dense):
        module.bias.zero_()
    y = layer.eval()(batches[0])
    whole = dense(convolution(image).flatten(1))
state = {f"state_{name}": value.numpy() for name, value in layer.state_dict().items()}
bias = torch.nn.Linear(400, 10000).bias.detach().numpy()
every_call(torch=torch, C=3, params=[*biased.parameters()], w=torch.empty(4, 3), layer=dense)
answer(y=y.numpy(), whole=whole.numpy(), biased=biased.running_var.numpy(), bias=bias, **state)
