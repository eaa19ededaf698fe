"""An enrolled face, and the picture in which it was found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from uuid import UUID

from werkzeug.test import TestResponse

from app.database.transactions import tenant_transaction
from app.domain.job_request import ItemRequest
from app.domain.states import Operation
from app.domain.storage import ObjectLocation
from app.models.collection import Collection
from app.services.gallery.vectors import add_faces
from app.services.tenancy.storage_places import allow_location
from tests.factories.callers import Caller
from tests.factories.galleries import make_collection, new_face
from tests.factories.images import halves
from tests.factories.tenant_world import TenantWorld

# In `halves`, turned clockwise by its EXIF: red above blue, 40 wide and 80 high.
TURNED = halves(orientation=6)
IN_BLUE = (12, 52, 16, 16)


@dataclass
class Portrait:
    """An enrolled face of a picture that lies in a bucket of the tenant's."""

    caller: Caller
    content: bytes = TURNED
    box: tuple[int, int, int, int] = IN_BLUE
    collection: Collection = field(init=False)
    face_id: UUID = field(init=False)
    job_id: UUID = field(init=False)

    def __post_init__(self) -> None:
        self.world.put("portrait", self.content)
        place = ObjectLocation(self.world.bucket, str(self.caller.tenant_id))
        allow_location(self.caller.tenant_id, place)
        item = ItemRequest("a", self.world.uri("portrait"))
        self.job_id = self.world.submit(Operation.DETECT, item)
        self.collection = make_collection(self.caller.tenant_id)
        digest = hashlib.sha256(self.content).digest()
        face = new_face(
            self.collection, None, box=self.box, image_sha256=digest, job_id=self.job_id
        )
        self.face_id = face.face_id
        with tenant_transaction(self.caller.tenant_id) as session:
            add_faces(session, self.caller.tenant_id, [face])

    @property
    def world(self) -> TenantWorld:
        return TenantWorld(self.caller.tenant_id)

    @property
    def path(self) -> str:
        return f"/collections/{self.collection.id}/faces/{self.face_id}"

    def crop(self, query: str = "", caller: Caller | None = None, **headers: str) -> TestResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return (caller or self.caller).get(f"{self.path}/crop{query}", headers=sent)
