#pragma once

#include "document/parse.h"
#include "document/reader.h"
#include "mesh/read.h"

/// What users already have, read as a mesh: the forms that mesh/ knows, and CloudFormation
/// templates in JSON or YAML, those of `cdk synth` among them.
namespace ingest {

/// Reads one document into `to`, whichever form it has; the form is found by what it holds.
///
/// Of a template, all resources of AWS::AppMesh::* are read; the others are no part of a mesh.
/// Errors go to `problems`, with the places of the document. Their JSON pointers name the
/// template's resource, and below its Properties the members as the API spells them.
void read(mesh::MeshReader& to, const document::Document& document, document::Problems& problems);

}  // namespace ingest
