"""Cases with their revisions and documents with their versions, the same on every back end."""

from dataclasses import replace

import pytest
from tests.helpers.stored import NOON, OTHER_NODE, a_case, a_document, message_id

from eessi_sim.buc.case import Case
from eessi_sim.buc.suggestion import Suggestion
from eessi_sim.errors import Conflict
from eessi_sim.identifiers import CaseId, DocumentId, SedType
from eessi_sim.storage.base import NodeStore, Storage, StoredDocument, UnitOfWork


async def save(node: NodeStore, case: Case, expected: int | None = None) -> None:
    """Commit one case."""
    work = UnitOfWork()
    work.save_case(case, expected)
    await node.commit(work)


async def save_documents(node: NodeStore, *documents: StoredDocument) -> None:
    """Commit documents, all in one unit of work."""
    work = UnitOfWork()
    for document in documents:
        work.save_document(document)
    await node.commit(work)


async def test_case_is_found_by_both_of_its_ids(node: NodeStore) -> None:
    """A saved case is found by its local and by its international id."""
    await save(node, a_case())
    assert await node.find_case("1001") == a_case()
    assert await node.find_case_by_international(a_case().international_id) == a_case()


async def test_case_keeps_its_suggestions(node: NodeStore) -> None:
    """What rules suggest to a clerk lies in the copy of the case, on every back end."""
    suggestion = Suggestion(
        id="1", rule="A003-A012", sed=SedType("A012"), about=DocumentId("0" * 32), inputs=("A003",), at=NOON
    )
    await save(node, replace(a_case(), suggestions=(suggestion,)))
    found = await node.find_case("1001")
    assert found is not None
    assert found.suggestions == (suggestion,)


async def test_unknown_case_is_none(node: NodeStore) -> None:
    """Looking for a case that was never saved returns None."""
    assert await node.find_case("1001") is None
    assert await node.find_case_by_international(a_case().international_id) is None


async def test_case_of_another_node_is_another_case(storage: Storage, node: NodeStore) -> None:
    """Each node has its own copy of a case, under the same ids."""
    await save(node, a_case())
    assert await storage.node(OTHER_NODE).find_case("1001") is None
    await save(storage.node(OTHER_NODE), a_case(own=OTHER_NODE))
    assert await node.find_case("1001") == a_case()


async def test_case_with_the_expected_revision_is_replaced(node: NodeStore) -> None:
    """A case can be saved by whoever read its present revision."""
    await save(node, a_case(revision=1))
    await save(node, a_case(revision=2), expected=1)
    assert await node.find_case("1001") == a_case(revision=2)


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        (1, "Expected revision 1 of case 1001, found revision 2"),
        (0, "Expected no revision of case 1001, found revision 2"),
        (None, "Expected no revision of case 1001, found revision 2"),
    ],
)
async def test_case_with_another_revision_is_a_conflict(
    node: NodeStore, expected: int | None, sentence: str
) -> None:
    """A case that somebody else changed, or made, in between is not overwritten."""
    await save(node, a_case(revision=2))
    with pytest.raises(Conflict, match=sentence):
        await save(node, a_case(revision=3), expected=expected)
    assert await node.find_case("1001") == a_case(revision=2)


async def test_change_of_a_case_that_does_not_exist_is_a_conflict(node: NodeStore) -> None:
    """Saving with an expected revision needs a saved case."""
    with pytest.raises(Conflict, match="Expected revision 4 of case 1001, found no revision"):
        await save(node, a_case(revision=5), expected=4)


async def test_international_id_belongs_to_one_case_of_a_node(node: NodeStore) -> None:
    """A second case with the same international id is refused."""
    await save(node, a_case(1))
    with pytest.raises(Conflict, match="found another one beside 1002"):
        await save(node, a_case(2, international_id=a_case(1).international_id))
    assert await node.find_case("1002") is None


async def test_case_may_not_take_the_international_id_of_another(node: NodeStore) -> None:
    """A change of the international id to one that is taken is refused."""
    await save(node, a_case(1))
    await save(node, a_case(2))
    with pytest.raises(Conflict):
        await save(node, a_case(2, international_id=a_case(1).international_id, revision=2), expected=1)
    assert await node.find_case("1002") == a_case(2)


async def test_changed_international_id_is_found_and_the_old_one_is_not(node: NodeStore) -> None:
    """A case follows its new international id."""
    await save(node, a_case(1))
    await save(node, a_case(1, international_id=a_case(5).international_id, revision=2), expected=1)
    assert await node.find_case_by_international(a_case(1).international_id) is None
    assert await node.find_case_by_international(a_case(5).international_id) is not None


async def test_cases_are_listed_newest_first_in_pages(node: NodeStore) -> None:
    """The list of cases begins with the newest and goes on behind any case."""
    for number in range(1, 5):
        await save(node, a_case(number))
    await save(node, a_case(1, revision=2), expected=1)
    assert [case.id for case in await node.cases(limit=3)] == ["1004", "1003", "1002"]
    assert [case.id for case in await node.cases(limit=3, after="1002")] == ["1001"]


async def test_list_behind_an_unknown_case_is_empty(node: NodeStore) -> None:
    """Behind a case that does not exist there is nothing."""
    await save(node, a_case())
    assert await node.cases(after="77") == ()


async def test_counts_show_cases_and_documents(node: NodeStore) -> None:
    """A case or version that is saved again counts once."""
    await save(node, a_case(revision=1))
    await save(node, a_case(revision=2), expected=1)
    await save_documents(node, a_document(), a_document(), a_document(version=2))
    assert ((await node.counts()).cases, (await node.counts()).documents) == (1, 2)


async def test_document_comes_back_as_it_was_stored(node: NodeStore) -> None:
    """Every field of a stored document comes back."""
    document = a_document(message_id=message_id())
    await save_documents(node, document)
    assert await node.document("1001", document.document_id, 1) == document


async def test_newest_version_comes_when_none_is_named(node: NodeStore) -> None:
    """Without a version the newest one is returned, not the one saved last."""
    await save_documents(node, a_document(version=1), a_document(version=10), a_document(version=9))
    found = await node.document("1001", a_document().document_id)
    assert found is not None
    assert found.version == 10


async def test_unknown_document_is_none(node: NodeStore) -> None:
    """A document, version or case that was never saved is None."""
    await save_documents(node, a_document())
    assert await node.document("1001", a_document(2).document_id) is None
    assert await node.document("1001", a_document().document_id, 2) is None
    assert await node.document("1002", a_document().document_id) is None


async def test_same_version_saved_again_replaces_the_first(node: NodeStore) -> None:
    """A version that is saved again, as a draft is, keeps its place and has its new content."""
    first, second = a_document(1), a_document(2)
    changed = replace(first, content=b"<A003>2</A003>", stored_at=NOON, sed=SedType("A004"))
    await save_documents(node, first, second)
    await save_documents(node, changed)
    assert await node.documents("1001", with_content=True) == (changed, second)


async def test_documents_of_a_case_are_listed_without_content(node: NodeStore) -> None:
    """The list of a case shows its versions in the order of saving and loads no content."""
    await save_documents(node, a_document(2), a_document(1), a_document(3, case_id=CaseId("1002")))
    assert await node.documents("1001") == (
        replace(a_document(2), content=b""),
        replace(a_document(1), content=b""),
    )
