#pragma once

#include <string>
#include <vector>

#include "document/parse.h"
#include "document/reader.h"
#include "mesh/model.h"

namespace ingest {

/// Whether a document is a CloudFormation template: `Resources`, each with a `Type`.
bool is_template(const document::Value& root);

/// One AWS::AppMesh::* resource, as the API's input would have it.
struct TemplateResource {
  mesh::Kind kind = mesh::Kind::Mesh;
  std::string pointer;       ///< "/Resources/Gateway/Properties".
  document::Document input;  ///< With the template's places.
};

/// The App Mesh resources of a template, in its order, functions put in: Ref, Fn::GetAtt, Fn::Sub
/// and Fn::Join over parameters' defaults, pseudo parameters, and the names of these resources. A
/// resource without a name has its logical id. What only the deployed stack knows, such as the ARN
/// of a certificate made in it, is kept as "${Certificate}" or "${Service.DnsName}".
///
/// Errors: a parameter without default, a name that is nowhere defined, names that need each
/// other, a function that is none of these, `Condition`. Then there are no resources.
std::vector<TemplateResource> read_template(const document::Document& document,
                                            document::Problems& problems);

}  // namespace ingest
