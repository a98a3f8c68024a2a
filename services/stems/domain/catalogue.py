"""The models that can be asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chassis.errors import PageTokenInvalid
from chassis.paging import Page, page_size
from services.stems.domain.errors import ModelNotFound
from services.stems.domain.order import Model


class Catalogue:
    """Models by id, one of which is used when none is asked for.

    Args:
        models: What is there.
        default: Id of the one that is used when none is asked for; the first by id when empty.

    Raises:
        ModelNotFound: There is no model with the default's id, or none at all.
    """

    def __init__(self, models: Iterable[Model], default: str = "") -> None:
        known = {model.id: model for model in models}
        chosen = default or min(known, default="")
        if chosen not in known:
            raise ModelNotFound(chosen, known)
        self._default = chosen
        self._models = {name: replace(known[name], is_default=name == chosen) for name in sorted(known)}

    def find(self, model: str) -> Model:
        """The one with this id, or the default one for an empty id; raises `ModelNotFound`."""
        found = self._models.get(model or self._default)
        if found is None:
            raise ModelNotFound(model, self._models)
        return found

    def page(self, *, size: int, token: str) -> Page[Model]:
        """Models by id; the token is the id before the page."""
        if token and token not in self._models:
            raise PageTokenInvalid(
                "page_token is not one of ours; ask for the first page again with an empty page_token"
            )
        after = [model for name, model in self._models.items() if name > token]
        limit = page_size(size)
        return Page(after[:limit], after[limit - 1].id if len(after) > limit else "")
