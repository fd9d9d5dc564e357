"""Every kind of fault has its code, and a sentence that says what to change."""

import pytest
from tests.helpers.definitions import definition, document, odd

from eessi_sim.cdm.report import Issue
from eessi_sim.cdm.schema import CompiledSchema

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
TOWN = "<town>Oslo</town>"
FIXED = "<FixedPeriod>\n      <startDate>2026-01-01</startDate>\n      <endDate>2026-12-31</endDate>\n    </FixedPeriod>"


def ours(old: str, new: str) -> Issue:
    """The first finding about the sample of A901 after a change."""
    return CompiledSchema.of(definition("A901")).explain(document(old, new))[0]


def foreign(content: str = "", attributes: str = "") -> Issue:
    """The first finding about a U901."""
    return CompiledSchema.of(definition("U901")).explain(odd(content, attributes))[0]


def test_missing_element_is_named_with_its_place_and_meaning() -> None:
    """What is missing, before what, and what it means."""
    issue = ours(TOWN, "")
    assert issue.code == "element-missing"
    assert issue.message == 'Expected "town" in "Address" before <country>, found none'
    assert issue.hint == "Add <town> before <country>: Town or village."
    assert issue.path == "/A901/Addresses/Address/town"


def test_missing_last_element_is_missing_without_neighbour() -> None:
    """An element that is missing at the end has no neighbour to name."""
    issue = ours("<endDate>2026-12-31</endDate>", "")
    assert (issue.code, issue.message) == (
        "element-missing",
        'Expected "endDate" in "FixedPeriod", found none',
    )
    assert issue.hint == "Add <endDate>."


def test_missing_choice_names_all_alternatives() -> None:
    """Where one of several is needed, all are named."""
    issue = ours(FIXED, "")
    assert issue.message == 'Expected "FixedPeriod" or "OpenPeriod" in "Period", found none'


def test_too_few_repetitions_are_a_missing_element() -> None:
    """A group that needs a second half is told so."""
    issue = foreign("<from>a</from>")
    assert (issue.code, issue.expected) == ("element-missing", "until")


def test_unknown_element_leads_to_the_nearest_name() -> None:
    """A mistyped name is answered with the right one."""
    issue = ours(TOWN, "<twon>Oslo</twon>")
    assert (issue.code, issue.found) == ("element-unexpected", "twon")
    assert issue.hint == 'Did you mean "town"?'


def test_unknown_element_in_an_empty_one_has_nothing_near() -> None:
    """Where nothing may stand, the advice is to leave it empty."""
    issue = ours("<amount>12.50</amount>", "<Note><x/></Note>")
    assert (issue.code, issue.hint) == ("element-unexpected", 'Leave "Note" empty.')


def test_element_with_a_namespace_is_told_to_drop_it() -> None:
    """Children of a SED have no namespace; this is the most common mistake of integrators."""
    issue = ours("<name>", '<name xmlns="urn:x">')
    assert (issue.code, issue.expected, issue.found) == ("element-namespace", "name", "{urn:x}name")


def test_foreign_element_of_another_name_is_unexpected() -> None:
    """An element with a namespace and an unknown name is simply unknown."""
    assert ours("<name>", '<q:nickname xmlns:q="urn:x"/><name>').code == "element-unexpected"


def test_element_beyond_its_maximum_is_repeated() -> None:
    """One too many is told with the number that is allowed."""
    issue = ours("<birthDate>", "<name>Eva</name><birthDate>")
    assert (issue.code, issue.expected, issue.found) == ("element-repeated", "1", "2")
    assert issue.message == 'Expected "name" at most once in "Person", found one more'


def test_number_of_allowed_repetitions_is_named() -> None:
    """More than one may be allowed, and still be too few."""
    issue = foreign("<town/>" * 4)
    assert issue.message == 'Expected "town" at most 3 times in "U901", found one more'


def test_two_alternatives_at_once_are_told() -> None:
    """Both branches of a choice are one too many."""
    issue = ours(FIXED, f"{FIXED}<OpenPeriod><startDate>2026-01-01</startDate></OpenPeriod>")
    assert issue.code == "element-alternative"
    assert issue.message == 'Expected only one of "FixedPeriod" or "OpenPeriod" in "Period", found both'


def test_later_member_of_the_other_branch_is_an_alternative_too() -> None:
    """What belongs to the other branch does not fit beside this one."""
    assert ours(FIXED, f"{FIXED}<openReason>x</openReason>").code == "element-alternative"


def test_member_of_a_branch_before_its_partner_is_missing_something() -> None:
    """A branch that starts with its second member misses the first."""
    issue = ours(FIXED, "<openReason>x</openReason>")
    assert (issue.code, issue.expected) == ("element-missing", "FixedPeriod")


def test_element_that_comes_too_early_is_out_of_order() -> None:
    """The element that should stand in front is named."""
    issue = ours(
        "<name>Ada</name>\n    <birthDate>1980-02-29</birthDate>",
        "<birthDate>1980-02-29</birthDate><name>A</name>",
    )
    assert (issue.code, issue.message) == ("element-order", 'Expected "birthDate" after "name"')


def test_element_that_comes_too_late_is_out_of_order() -> None:
    """The element that stands in front by mistake is named."""
    issue = ours("<amount>12.50</amount>", "<amount>12.50</amount><kind><value>01</value></kind>")
    assert (issue.code, issue.message) == ("element-order", 'Expected "kind" before "amount"')


def test_text_instead_of_a_code_shows_how_to_write_it() -> None:
    """A code without its wrapper is the second most common mistake."""
    issue = ours("<country>\n        <value>NO</value>\n      </country>", "<country>NO</country>")
    assert (issue.code, issue.found) == ("text-unexpected", "NO")
    assert issue.hint == "Write <country><value>NO</value></country>."


def test_text_after_a_child_is_found() -> None:
    """Text anywhere between the elements counts."""
    issue = ours("<name>Ada</name>", "<name>Ada</name>loose")
    assert (issue.code, issue.hint) == ("text-unexpected", "Remove the text.")


def test_text_in_an_empty_element_is_told() -> None:
    """An element that must be empty has no elements to suggest."""
    issue = ours("<amount>12.50</amount>", "<Note>x</Note>")
    assert issue.code == "schema"
    assert issue.message == '"Note": character data is not allowed because content is empty'


def test_element_inside_a_text_is_told() -> None:
    """A text cannot contain elements."""
    issue = ours("<name>Ada</name>", "<name><first>Ada</first></name>")
    assert (issue.code, issue.found) == ("element-unexpected", "first")


def test_other_faults_of_an_element_keep_the_words_of_the_library() -> None:
    """What has no sentence of its own is passed on."""
    issue = foreign("<fixed>w</fixed>")
    assert (issue.code, issue.found) == ("schema", "w")
    assert "fixed value 'q'" in issue.message


def test_fixed_attribute_with_another_value_is_told() -> None:
    """The value that the schema fixes is named."""
    issue = ours('sedVer="4"', 'sedVer="3"')
    assert (issue.code, issue.path, issue.expected, issue.found) == (
        "attribute-value",
        "/A901/@sedVer",
        "4",
        "3",
    )


def test_missing_attribute_is_told() -> None:
    """A required attribute that is absent is named."""
    issue = ours(' sedVer="4"', "")
    assert (issue.code, issue.path) == ("attribute-missing", "/A901/@sedVer")


def test_unknown_attribute_leads_to_the_nearest_name() -> None:
    """A mistyped attribute is answered with the right one."""
    issue = ours("sedGVer=", 'sedPackge="x" sedGVer=')
    assert (issue.code, issue.hint) == ("attribute-unexpected", 'Did you mean "sedPackage"?')


def test_attribute_where_none_is_allowed_is_to_be_removed() -> None:
    """Elements without attributes get the advice to remove it."""
    issue = ours("<name>", '<name lang="no">')
    assert (issue.code, issue.hint) == ("attribute-unexpected", "Remove it.")


def test_wrong_value_of_an_attribute_names_the_attribute() -> None:
    """Attributes with a type are judged like elements."""
    issue = foreign(attributes='pattern="abc"')
    assert (issue.code, issue.path) == ("value-pattern", "/U901/@pattern")
    assert issue.message == 'Expected the form [0-9]+ in the attribute "pattern", found "abc"'


def test_wrong_date_in_an_attribute_is_told() -> None:
    """The calendar speaks for attributes too."""
    issue = foreign(attributes='issued="2026-13-01"')
    assert (issue.code, issue.path) == ("date-invalid", "/U901/@issued")


def test_unknown_code_leads_to_the_nearest_one() -> None:
    """A word is answered with its code and label."""
    issue = ours("<country>\n        <value>NO</value>", "<country><value>Norge</value>")
    assert issue.code == "value-not-in-code-list"
    assert issue.message == 'Expected a code of the list Country in "country", found "Norge"'
    assert issue.hint == 'Write "NO" (Norway).'


def test_code_without_label_is_suggested_alone() -> None:
    """A code whose meaning is unknown is suggested as it is."""
    assert ours("<amount>12.50</amount>", "<kind><value>2</value></kind>").hint == 'Write "02".'


def test_short_list_is_named_in_full() -> None:
    """Where nothing is near, a short list is shown."""
    issue = ours("<country>\n        <value>NO</value>", "<country><value>GR</value>")
    assert issue.hint == "Write one of: NO Norway, PL Poland, EL Greece."


def test_long_list_is_described() -> None:
    """Where nothing is near, a long list is described by its first clause."""
    issue = ours("<amount>12.50</amount>", "<kind><value>Zzzz</value></kind>")
    assert issue.hint == "Write one of the 13 codes of the list: Kinds of things."


def test_list_without_name_is_still_a_list() -> None:
    """Codes that stand in the element itself have no list name."""
    issue = foreign("<colour>gren</colour>")
    assert (issue.expected, issue.hint) == ("one of the listed codes", 'Write "green".')


def test_too_long_text_says_how_long_it_is() -> None:
    """Both lengths are named."""
    issue = ours("<name>Ada</name>", f"<name>{'A' * 70}</name>")
    assert (issue.code, issue.hint) == ("value-too-long", "Shorten it from 70 to 10 characters.")
    assert issue.found == "A" * 59 + "…"


def test_pattern_is_explained_by_the_meaning_of_its_type() -> None:
    """The documentation of the type is the advice."""
    issue = ours(TOWN, f"{TOWN}<postalCode>N-0155</postalCode>")
    assert (issue.code, issue.hint) == ("value-pattern", "Digits only.")


@pytest.mark.parametrize("content", ["", "   "])
def test_blank_value_is_empty_whatever_its_type(content: str) -> None:
    """Nothing is nothing, for a text or a date."""
    issue = ours("<birthDate>1980-02-29</birthDate>", f"<birthDate>{content}</birthDate>")
    assert (issue.code, issue.message) == ("value-empty", 'Expected a value in "birthDate", found nothing')


def test_blank_text_is_empty() -> None:
    """The pattern that forbids blank texts is told as such."""
    assert ours("<name>Ada</name>", "<name> </name>").code == "value-empty"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1980-13-01", "Months go from 01 to 12."),
        ("1980-02-30", "The month does not have this day."),
        ("0000-01-01", "There is no year 0000."),
        ("29.02.1980", "Write the year first, and two digits for month and day."),
    ],
)
def test_date_outside_the_calendar_says_why(text: str, hint: str) -> None:
    """What is wrong with the date decides the advice."""
    issue = ours("1980-02-29", text)
    assert (issue.code, issue.hint) == ("date-invalid", hint)


def test_date_in_another_form_says_how() -> None:
    """A date in a national form is shown the right one."""
    issue = ours("1980-02-29", "29.02.1980")
    assert issue.message == 'Expected a date like 2026-03-02 in "birthDate", found "29.02.1980"'


def test_year_is_a_date_too() -> None:
    """Years have a form of their own."""
    assert foreign("<year>26</year>").expected == "a year like 2026"


def test_number_with_a_comma_is_told() -> None:
    """Decimals have a point."""
    issue = ours("12.50", "12,50")
    assert (issue.code, issue.expected) == ("number-invalid", "a number (decimal)")


def test_value_of_another_type_names_the_type() -> None:
    """Built-in types without a sentence of their own are named."""
    issue = foreign("<flag>perhaps</flag>")
    assert (issue.code, issue.expected) == ("value-type", "a value of type boolean")


def test_other_facets_keep_the_words_of_the_library() -> None:
    """What has no sentence of its own is passed on with the value."""
    issue = foreign("<number>1</number>")
    assert (issue.code, issue.found) == ("schema", "1")
    assert "greater or equal" in issue.message


def test_value_that_fits_no_member_of_a_union_is_told() -> None:
    """A union is judged as a whole."""
    assert foreign("<dateOrNumber>x</dateOrNumber>").code == "schema"


def test_other_constraints_keep_the_words_of_the_library() -> None:
    """A foreign schema may demand that values are unique."""
    part = "<Part><label>a</label></Part>"
    issue = foreign(f"<Part><label>x</label>{part}{part}</Part>")
    assert issue.code == "schema"
    assert "duplicated value" in issue.message


def test_element_that_a_wildcard_does_not_know_is_told() -> None:
    """A foreign schema may accept any element that is defined somewhere."""
    issue = foreign("<Extension><x/></Extension>")
    assert (issue.code, issue.path) == ("schema", "/U901/Extension/x")


def test_nil_is_told() -> None:
    """Nothing in our schemas may be nil."""
    assert ours("<name>Ada</name>", f'<name {XSI} xsi:nil="true"/>').code == "schema"
