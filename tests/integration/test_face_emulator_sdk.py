"""The official SDK against the emulator."""

from collections.abc import Iterator

import pytest
from azure.ai.vision.face import FaceAdministrationClient
from azure.ai.vision.face.operations import LargeFaceListOperations, LargePersonGroupOperations
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

from local.face_emulator.process import FaceEmulator

POLLING_SECONDS = 0.02  # where the SDK takes 30


@pytest.fixture
def client(face_emulator: FaceEmulator) -> Iterator[FaceAdministrationClient]:
    credential = AzureKeyCredential(face_emulator.key)
    with FaceAdministrationClient(face_emulator.endpoint, credential, polling_interval=POLLING_SECONDS) as client:
        yield client


def operations_of(client: FaceAdministrationClient, kind: str) -> LargeFaceListOperations | LargePersonGroupOperations:
    """Return the SDK's operations of a kind of group."""
    return client.large_face_list if kind == "largeFaceList" else client.large_person_group


@pytest.mark.parametrize("kind", ["largePersonGroup", "largeFaceList"])
def test_the_sdk_sees_a_training_succeed(
    face_emulator: FaceEmulator, client: FaceAdministrationClient, kind: str
) -> None:
    operations = operations_of(client, kind)
    operations.create("g", name="a name", user_data="some data")
    face_emulator.control.plan(kind, "g", not_started=0.1, duration=0.1)
    poller = operations.begin_train("g")
    poller.result()
    assert poller.status() == "succeeded"
    assert operations.get_training_status("g").status == "succeeded"


@pytest.mark.parametrize("kind", ["largePersonGroup", "largeFaceList"])
def test_the_sdk_sees_a_training_fail(face_emulator: FaceEmulator, client: FaceAdministrationClient, kind: str) -> None:
    operations = operations_of(client, kind)
    operations.create("g", name="a name")
    face_emulator.control.plan(kind, "g", duration=0.1, outcome="failed", message="No faces.")
    poller = operations.begin_train("g")
    with pytest.raises(HttpResponseError, match=r"No faces\."):
        poller.result()
    assert poller.status() == "failed"
    assert operations.get_training_status("g").message == "No faces."


def test_the_sdk_manages_groups(client: FaceAdministrationClient) -> None:
    groups = client.large_person_group
    for group_id in ("b", "a", "c"):
        groups.create(group_id, name=f"name of {group_id}", recognition_model="recognition_04")
    assert [group.large_person_group_id for group in groups.get_large_person_groups(start="a", top=1)] == ["b"]
    assert groups.get("a", return_recognition_model=True).recognition_model == "recognition_04"
    groups.delete("a")
    with pytest.raises(ResourceNotFoundError, match="LargePersonGroupNotFound"):
        groups.get("a")


def test_the_sdk_is_refused_with_a_wrong_key(face_emulator: FaceEmulator) -> None:
    wrong = AzureKeyCredential("a wrong one")
    with (
        FaceAdministrationClient(face_emulator.endpoint, wrong) as client,
        pytest.raises(ClientAuthenticationError, match="invalid subscription key"),
    ):
        client.large_face_list.get_large_face_lists()


class FixedToken:
    """A token credential with one token."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        """Return the token, good for as long as any test."""
        return AccessToken("some token", 2**40)


def test_the_sdk_is_let_in_with_a_token(face_emulator: FaceEmulator) -> None:
    face_emulator.control.group("largeFaceList", "g")
    with FaceAdministrationClient(face_emulator.endpoint, FixedToken()) as client:
        lists = client.large_face_list.get_large_face_lists(enforce_https=False)
    assert [each.large_face_list_id for each in lists] == ["g"]
