"""What people do with prompt templates."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.context import Caller
from chassis.paging import Page
from services.prompt.domain.instructions import BUILT_IN, NEWEST, Instruction
from services.prompt.domain.ports import Store, Transaction
from services.prompt.domain.templates import (
    PromptTemplate,
    PromptTemplateBuiltIn,
    PromptTemplateExists,
    PromptTemplateNotFound,
    State,
    approved,
    check_template,
    find_built_in,
    retired,
    unknown_version,
)
from services.prompt.use_cases.repeats import fingerprint

_METHOD = "CreatePromptTemplate"


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """What a template is made from."""

    version: str
    display_name: str
    instruction: str
    temperature: float
    max_tokens: int
    request_id: str = ""

    def __post_init__(self) -> None:
        check_template(self.version, self.display_name, self.instruction, self.temperature, self.max_tokens)


class Templates:
    """Versions of the instruction: built-in ones, and an artist's own."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(self, caller: Caller, artist: str, new: NewTemplate) -> PromptTemplate:
        """A new draft.

        Raises:
            PromptTemplateExists: The version is taken.
        """
        if find_built_in(artist, new.version):
            raise PromptTemplateExists(f"{new.version!r} is a built-in prompt template; choose another version label")
        template = PromptTemplate(
            artist=artist,
            version=new.version,
            display_name=new.display_name,
            instruction=new.instruction,
            temperature=new.temperature,
            max_tokens=new.max_tokens,
            state=State.DRAFT,
            creator=caller.principal,
            approver="",
            create_time=self._clock.now(),
            approve_time=None,
            etag="",
        )
        body = fingerprint(new.version, new.display_name, new.instruction, new.temperature, new.max_tokens)
        with self._store.of_artist(artist) as transaction:
            transaction.artist(artist)
            known = transaction.once(caller, _METHOD, new.request_id, body, template.name)
            if known is None:
                transaction.add_template(template)
            return _found(transaction, artist, new.version)

    def get(self, artist: str, version: str) -> PromptTemplate:
        """The template, also a built-in one."""
        with self._store.of_artist(artist, write=False) as transaction:
            transaction.artist(artist)
            return _found(transaction, artist, version)

    def list(self, artist: str, size: int, token: str) -> Page[PromptTemplate]:
        """The artist's own templates and the built-in ones, newest first."""
        with self._store.of_artist(artist, write=False) as transaction:
            transaction.artist(artist)
            return transaction.templates(artist, size=size, token=token)

    def approve(self, caller: Caller, artist: str, version: str, etag: str) -> PromptTemplate:
        """The template, approved: the artist's default from now on."""
        with self._store.of_artist(artist) as transaction:
            found = _found(transaction, artist, version)
            changed = approved(found, caller.principal, self._clock.now())
            return found if changed == found else transaction.change_template(changed, etag)

    def retire(self, artist: str, version: str, etag: str) -> PromptTemplate:
        """The template, out of use."""
        with self._store.of_artist(artist) as transaction:
            found = _found(transaction, artist, version)
            changed = retired(found)
            return found if changed == found else transaction.change_template(changed, etag)

    def delete(self, artist: str, version: str) -> None:
        """Remove a template that no caption was made with."""
        if find_built_in(artist, version):
            raise PromptTemplateBuiltIn(f"the prompt template {version!r} is built in and cannot be deleted")
        with self._store.of_artist(artist) as transaction:
            transaction.remove_template(artist, version)


def find_instruction(store: Store, artist: str, version: str) -> Instruction:
    """The instruction to ask with; for an empty version the artist's default, else the newest built-in one.

    Raises:
        PromptVersionUnknown: Nothing has that version.
        PromptTemplateRetired: It is out of use.
    """
    if version in BUILT_IN:
        return BUILT_IN[version]
    with store.of_artist(artist, write=False) as transaction:
        own = transaction.template(artist, version) if version else transaction.default_template(artist)
    if own is not None:
        return own.usable()
    if version:
        raise unknown_version(version)
    return BUILT_IN[NEWEST]


def _found(transaction: Transaction, artist: str, version: str) -> PromptTemplate:
    found = transaction.template(artist, version) or find_built_in(artist, version)
    if found is None:
        raise PromptTemplateNotFound(f"artists/{artist}/prompt-templates/{version} does not exist")
    return found
