"""Writes a package of schemas in the lay-out of official ones, with everything that ours avoid.

Two SEDs: one whose local elements have no namespace, with types of another namespace by import and a circle among
their files; one whose elements all have the namespace, in one that does not look like ours.
"""

import shutil
from pathlib import Path

from eessi_sim import resources

NS_A001 = "http://ec.europa.eu/eessi/ns/4_4/A001"
NS_TYPES = "http://ec.europa.eu/eessi/ns/4_4/common"
NS_P2000 = "urn:example:pensions"
_XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
XMLDSIG = "http://www.w3.org/TR/2002/REC-xmldsig-core-20020212/xmldsig-core-schema.xsd"

FILES = {
    "la/A001-4.4.xsd": f"""<?xml version="1.0" encoding="UTF-8"?>
<xs:schema {_XS} xmlns:t="{NS_TYPES}" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" targetNamespace="{NS_A001}">
  <xs:import namespace="{NS_TYPES}" schemaLocation="../common/types-4.4.xsd"/>
  <xs:import namespace="http://www.w3.org/2000/09/xmldsig#" schemaLocation="{XMLDSIG}"/>
  <xs:element name="A001">
    <xs:annotation><xs:documentation>Request for an agreement.</xs:documentation></xs:annotation>
    <xs:complexType>
      <xs:sequence>
        <xs:element name="Person" type="t:Worker"/>
        <xs:element name="Options" minOccurs="0">
          <xs:complexType>
            <xs:all>
              <xs:element name="urgent" type="xs:boolean" minOccurs="0"/>
              <xs:element name="remark" type="t:Text255" minOccurs="0"/>
            </xs:all>
          </xs:complexType>
        </xs:element>
        <xs:element name="fee" type="t:Money" minOccurs="0" maxOccurs="2"/>
        <xs:element ref="ds:Signature" minOccurs="0"/>
      </xs:sequence>
      <xs:attributeGroup ref="t:Version"/>
    </xs:complexType>
  </xs:element>
</xs:schema>
""",
    "la/A001-4.4.sample.xml": f"""<a:A001 xmlns:a="{NS_A001}" sedGVer="4" sedVer="4">
  <Person code="W">
    <familyName>Nowak</familyName>
    <nationality><value>PL</value></nationality>
    <employer>Fabryka</employer>
  </Person>
  <Options>
    <urgent>true</urgent>
    <remark>soon</remark>
  </Options>
  <fee currency="EUR">12.50</fee>
</a:A001>
""",
    "la/A001-4.4.rules.yaml": """sed: A001
rules:
  - id: A001-X01
    severity: warning
    context: fee
    test: "@currency = 'EUR'"
    message: "Expected euro, found {@currency}"
    hint: Convert the amount.
    source: the tests
    confidence: inferred
    examples:
      good: []
      bad:
        - set: fee/@currency
          to: PLN
""",
    "common/types-4.4.xsd": f"""<?xml version="1.0" encoding="UTF-8"?>
<xs:schema {_XS} xmlns:t="{NS_TYPES}" targetNamespace="{NS_TYPES}">
  <xs:include schemaLocation="basic-4.4.xsd"/>
  <xs:complexType name="Person">
    <xs:group ref="t:Names"/>
    <xs:attribute name="code" type="xs:string"/>
  </xs:complexType>
  <xs:complexType name="Worker">
    <xs:complexContent>
      <xs:extension base="t:Person">
        <xs:sequence><xs:element name="employer" type="t:Text255" maxOccurs="unbounded"/></xs:sequence>
      </xs:extension>
    </xs:complexContent>
  </xs:complexType>
  <xs:attributeGroup name="Version">
    <xs:attribute name="sedGVer" type="xs:string" use="required"/>
    <xs:attribute name="sedVer" type="xs:string" use="required"/>
  </xs:attributeGroup>
</xs:schema>
""",
    "common/basic-4.4.xsd": f"""<?xml version="1.0" encoding="UTF-8"?>
<xs:schema {_XS} xmlns:t="{NS_TYPES}" targetNamespace="{NS_TYPES}">
  <xs:include schemaLocation="types-4.4.xsd"/>
  <xs:simpleType name="Text255"><xs:restriction base="xs:string"><xs:maxLength value="255"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="CountryCode">
    <xs:restriction base="xs:string"><xs:enumeration value="NO"/><xs:enumeration value="PL"/></xs:restriction>
  </xs:simpleType>
  <xs:complexType name="Country">
    <xs:sequence><xs:element name="value" type="t:CountryCode"/></xs:sequence>
  </xs:complexType>
  <xs:complexType name="Money">
    <xs:simpleContent>
      <xs:extension base="xs:decimal"><xs:attribute name="currency" type="xs:string" use="required"/></xs:extension>
    </xs:simpleContent>
  </xs:complexType>
  <xs:group name="Names">
    <xs:sequence>
      <xs:element name="familyName" type="t:Text255"/>
      <xs:element name="nationality" type="t:Country" minOccurs="0"/>
    </xs:sequence>
  </xs:group>
</xs:schema>
""",
    "pensions/schemas/P2000-4.2.xsd": f"""<?xml version="1.0" encoding="UTF-8"?>
<xs:schema {_XS} xmlns:p="{NS_P2000}" targetNamespace="{NS_P2000}" elementFormDefault="qualified">
  <xs:element name="P2000">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="Claim">
          <xs:complexType>
            <xs:choice>
              <xs:element name="date" type="xs:date"/>
              <xs:element name="unknown" type="xs:string"/>
            </xs:choice>
          </xs:complexType>
        </xs:element>
      </xs:sequence>
      <xs:attribute name="sedGVer" type="xs:string"/>
      <xs:attribute name="sedVer" type="xs:string"/>
    </xs:complexType>
  </xs:element>
</xs:schema>
""",
    "pensions/schemas/P2000-4.2.sample.xml": f"""<P2000 xmlns="{NS_P2000}" sedGVer="4" sedVer="2">
  <Claim><date>2026-01-31</date></Claim>
</P2000>
""",
}


def write_package(folder: Path) -> Path:
    """Write the package below ``folder`` and return it."""
    for name, content in FILES.items():
        change(folder, name, "", "", content)
    return folder


def rename_ours(folder: Path) -> Path:
    """Write a package of our schemas of CDM 4.4 under names, versions and namespaces of somebody else."""
    ours = resources.schemas()
    shutil.copytree(ours / "envelope", folder / "envelope")
    for path in sorted((ours / "cdm" / "4.4").rglob("*.*")):
        stem, rest = path.name.split(".", 1)
        name = f"{stem}-4.4.{rest}" if path.parent.name != "4.4" else path.name
        target = folder / "package" / "seds" / path.parent.relative_to(ours / "cdm" / "4.4") / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text().replace("http://ec.europa.eu/eessi/ns/4_4/", "urn:example:eessi:"))
    return folder


def change(folder: Path, name: str, old: str, new: str, content: str | None = None) -> Path:
    """Write one file of the package with a text replaced, and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((content or FILES[name]).replace(old, new) if old else content or FILES[name])
    return path
