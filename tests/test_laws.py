"""The laws themselves: every public estimator is under them, and they can fail."""

import pytest
from law_families import FAMILIES, FAMILY_OF, capabilities
from law_parameters import BY_FAMILY, BY_NAME
from public_names import ESTIMATORS, small


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_public_estimator_is_of_a_family_and_can_do_what_it_can(name):
    """A new estimator: put it into a family of `law_families`; its laws follow from that."""
    assert name in FAMILY_OF, f"{name} is under no law: give it a family"
    found, wanted = capabilities(name), FAMILY_OF[name].can
    assert found == wanted, f"{name} lacks {set(wanted - found)}, has {set(found - wanted)} more"


def test_no_family_speaks_of_what_is_not_there():
    members = [name for family in FAMILIES for name in family.members]
    assert sorted(members) == sorted(ESTIMATORS)
    assert set(BY_NAME) <= set(ESTIMATORS)
    assert set(BY_FAMILY) <= {family.name for family in FAMILIES}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_what_the_laws_vary_are_parameters(name):
    known = small(name).get_params(deep=False)
    values = {**BY_FAMILY.get(FAMILY_OF[name].name, {}), **BY_NAME.get(name, {})}
    assert set(values) <= set(known)
