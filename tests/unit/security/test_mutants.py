"""The mutants that `make mutants` makes are changes of a module's decisions, one each."""

import ast

from tests.mutants.mutations import mutants_of

SOURCE = """
def allowed(role, tenant):
    if role != "Operator" or not tenant:
        raise ValueError("no")
    return tenant in TENANTS
"""


def test_each_mutant_changes_one_decision() -> None:
    mutants = list(mutants_of(SOURCE))
    texts = {ast.unparse(mutant.tree) for mutant in mutants}
    assert len(texts) == len(mutants), "no two are the same"
    assert ast.unparse(ast.parse(SOURCE)) not in texts
    changes = {mutant.what.partition(":")[0] for mutant in mutants}
    assert {"never", "always", "not raised", "NotIn", "Eq", "And", "True"} <= changes


def test_type_checking_is_no_decision() -> None:
    assert list(mutants_of("if TYPE_CHECKING:\n    import x\n")) == []
