"""He initialization in each framework: the initializers called directly, and the kernels of real layers.

Each module adds its implementations of he_normal and he_uniform to the adapter of its framework. Beside ``sample``
they return ``draws`` where the framework has a plain sampler for it: the standard draws of the same generator, in the
same shape and dtype, of which the sample is a multiple up to rounding.
"""
