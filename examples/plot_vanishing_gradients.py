"""How far back does a recurrent network see? Gradients by lag, before training, beside theory.

The derivative of a state with respect to the input k steps before is a product of k Jacobians,

    d h(T) / d x(T-k) = J(T) ... J(T-k+1) D U,    J(t) = D(t) W,    D(t) = diag f'(a(t)).

A random W of spectral radius r makes it shrink or grow like (rms f' r)^k: an Elman network forgets
or explodes exponentially, with tanh or with ReLU. The cell state of an LSTM takes part in h(T)
through a sum, the forget gate being its only factor; with a bias of 3 on the gate that is .95 a
step, with the usual 1 it is .73 and the memory as short as any. The update gate of a GRU works
alike. Prints slopes and the line of theory and draws ``plot_vanishing_gradients.png`` beside
itself, or ``--out FILE``.

S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9 (1997).
R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training recurrent neural networks, ICML
(2013).
"""
