"""scikit-learn's own checks for the gradient-trained networks."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from reservoir.baselines import RNNRegressor, RNNSequenceClassifier

# A row of the regressor is a time step: its answer depends on the rows before it.
HAS_MEMORY = {
    "check_methods_sample_order_invariance": "the order of rows is time",
    "check_methods_subset_invariance": "rows depend on the rows before them",
    "check_sample_weight_equivalence_on_dense_data": "a repeated row is another time step",
}

REGRESSORS = [
    RNNRegressor(cell, (8,), bptt_steps=20, learning_rate=0.02, max_iter=20)
    for cell in ("elman", "lstm")
]

# One batch: with shuffled mini-batches, repeated cases would fall into other batches than
# weighted ones.
CLASSIFIERS = [
    RNNSequenceClassifier(cell, (8,), batch_size=1000, learning_rate=0.05, max_iter=20)
    for cell in ("elman", "lstm")
]


@parametrize_with_checks(REGRESSORS, expected_failed_checks=lambda _: HAS_MEMORY)
def test_regressor_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


@parametrize_with_checks(CLASSIFIERS)
def test_sequence_classifier_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)
