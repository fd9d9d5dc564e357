"""All accidents, in the order in which they are tried: the smallest and most frequent first."""

from typing import Final

from eessi_sim.verification.accidents import formatting, forms, gzip, naming, octets, structure
from eessi_sim.verification.accidents.model import Accident

ACCIDENTS: Final = (
    Accident(
        "nothing-signed", "The signature was made over nothing: the signer found no content", octets.nothing
    ),
    Accident(
        "blanks-beside-signature",
        "White space was put beside the signature after signing",
        formatting.blanks_beside_signature,
        pairs=True,
    ),
    Accident(
        "pretty-printed",
        "White space was put between the elements after signing: an editor or tool pretty-printed it",
        formatting.blanks_between,
        pairs=True,
    ),
    Accident(
        "texts-padded",
        "White space was put around the texts after signing: an editor or tool pretty-printed it",
        formatting.blanks_around_texts,
        pairs=True,
    ),
    Accident(
        "lf-to-crlf",
        "Line ends were changed after signing, from LF to CR LF",
        octets.lf_became_crlf,
        pairs=True,
    ),
    Accident(
        "crlf-to-lf",
        "Line ends were changed after signing, from CR LF to LF",
        octets.crlf_became_lf,
        pairs=True,
    ),
    Accident(
        "encoded-twice",
        "The text was encoded twice after signing: UTF-8 was taken for another encoding on the way",
        octets.encoded_twice,
        pairs=True,
    ),
    Accident(
        "compressed-twice",
        "The part was compressed again after signing: a gzip stream in a gzip stream",
        gzip.compressed_twice,
    ),
    Accident(
        "signed-before-compression",
        "The part was signed before it was compressed; the compressed octets have to be signed",
        gzip.signed_before_compression,
    ),
    Accident(
        "other-canonical-form",
        "The signer digested another canonical form than his transforms name",
        forms.other_canonical_form,
        pairs=True,
    ),
    Accident(
        "comments-signed",
        "The signer digested the comments too, which the canonical form of his transforms leaves out",
        forms.comments_signed,
        pairs=True,
    ),
    Accident(
        "not-canonical",
        "The signer digested the octets as they stand in the file, not the canonical form",
        forms.not_canonical,
        pairs=True,
    ),
    Accident(
        "signature-not-removed",
        "The signer digested the document with the signature in it: transform enveloped-signature not applied",
        forms.signature_left,
    ),
    Accident(
        "content-alone",
        "The signer digested what stands in the element, without the element",
        forms.content_alone,
    ),
    Accident("byte-order-mark-added", "A byte order mark was put in front after signing", octets.mark_added),
    Accident(
        "byte-order-mark-removed",
        "The signer digested a byte order mark in front, which is not there now",
        octets.mark_removed,
    ),
    Accident(
        "declaration-added",
        "An XML declaration was put in front after signing",
        octets.declaration_added,
        pairs=True,
    ),
    Accident(
        "declaration-removed",
        "The signer digested an XML declaration in front, which is not there now or is spelled differently",
        octets.declaration_removed,
    ),
    Accident(
        "end-added",
        "A line end or white space was added at the end after signing",
        octets.end_added,
        pairs=True,
    ),
    Accident(
        "end-removed", "White space at the end was removed after signing", octets.end_removed, pairs=True
    ),
    Accident(
        "canonical-part-signed",
        "The signer digested the canonical form of a part whose media type asks for its octets as they are",
        forms.canonical_part,
    ),
    Accident(
        "unicode-decomposed",
        "Letters with accents were taken apart after signing (Unicode form NFC became NFD)",
        octets.composed,
        pairs=True,
    ),
    Accident(
        "unicode-composed",
        "Letters and their accents were put together after signing (Unicode form NFD became NFC)",
        octets.decomposed,
        pairs=True,
    ),
    Accident(
        "unicode-compatibility",
        "Letters were replaced by compatible ones by the signer (Unicode form NFKC or NFKD)",
        octets.compatible,
    ),
    Accident(
        "escaped-twice",
        "References to characters were escaped twice after signing",
        octets.escaped_twice,
        pairs=True,
    ),
    Accident(
        "prefix-renamed",
        "A namespace prefix was changed after signing",
        naming.prefix_renamed,
        pairs=True,
    ),
    Accident(
        "namespace-declaration-added",
        "A namespace declaration was added after signing",
        naming.declaration_added,
        pairs=True,
    ),
    Accident(
        "namespace-declaration-removed",
        "A namespace declaration was removed after signing, or the signer digested one that does not count",
        naming.declaration_lost,
        pairs=True,
    ),
    Accident(
        "schema-location-added",
        "An attribute that says where the schema lies was added after signing",
        naming.schema_location_added,
        pairs=True,
    ),
    Accident(
        "attribute-added", "An attribute of the element was added after signing", naming.attribute_added
    ),
    Accident(
        "blanks-lost-beside-signature",
        "White space beside the signature was removed after signing",
        formatting.blanks_lost_beside_signature,
        pairs=True,
    ),
    Accident(
        "blanks-changed",
        "Blanks at line ends, blank lines or tabs were changed after signing",
        formatting.blank_lines,
    ),
    Accident(
        "formatting-removed",
        "White space between the elements was removed after signing: the document was formatted",
        formatting.formatting_removed,
        pairs=True,
    ),
    Accident(
        "formatted-again",
        "The document was formatted again after signing, with another indent",
        formatting.formatted_again,
        pairs=True,
    ),
    Accident(
        "blanks-in-texts",
        "White space within texts was doubled or broken into lines after signing",
        formatting.blanks_collapsed,
    ),
    Accident(
        "empty-elements-added", "Empty elements were added after signing", formatting.emptied, pairs=True
    ),
    Accident(
        "values-rewritten",
        "Dates or times were written in another spelling after signing",
        naming.values_rewritten,
    ),
    Accident(
        "values-reordered",
        "Repeated values changed their order after signing: the document was read into objects and written again",
        structure.values_sorted,
    ),
    Accident(
        "elements-sorted",
        "The signer digested the elements in the order of their names, as programs do that go through JSON",
        structure.names_sorted,
    ),
    Accident(
        "elements-swapped",
        "Two neighbouring elements changed places after signing",
        structure.neighbours_swapped,
    ),
    Accident(
        "text-trimmed", "White space at an end of a text was removed after signing", formatting.text_trimmed
    ),
    Accident(
        "other-encoding-signed",
        "The signer digested the text in another encoding than UTF-8",
        octets.other_encoding,
    ),
    Accident(
        "encoded-twice-by-signer",
        "The signer encoded the text twice before digesting it",
        octets.decoded_twice,
    ),
    Accident(
        "carriage-returns",
        "Carriage returns were put in or removed after signing",
        octets.carriage_returns,
        pairs=True,
    ),
    Accident(
        "base64-signed",
        "The signer digested the base64 text of the content, not the content",
        octets.base64_signed,
    ),
    Accident(
        "base64-left",
        "The content is still base64 text; the signer digested what it encodes",
        octets.base64_left,
    ),
    Accident(
        "recompressed",
        "The part was decompressed and compressed again after signing: same content, other octets",
        gzip.recompressed,
    ),
    Accident(
        "decompressed",
        "The part was decompressed on the way; the compressed octets were signed",
        gzip.decompressed_on_the_way,
    ),
)
