#include "ingest/ingest.h"

#include "ingest/template.h"

namespace ingest {

void read(mesh::MeshReader& to, const document::Document& document, document::Problems& problems) {
  if (!is_template(document.root)) return to.read(document::Reader(document, problems));
  for (const TemplateResource& resource : read_template(document, problems)) {
    to.read_input(document::Reader(resource.input, problems, resource.pointer), resource.kind);
  }
}

}  // namespace ingest
