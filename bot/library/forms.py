"""The forms of the knowledge files, as pydantic models: what an editor completes and what ``load`` checks."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.core.chance import READINGS


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _date(value: str) -> str:
    from datetime import date

    try:
        date.fromisoformat(value)
    except ValueError:
        raise ValueError("write a date as 2026-11-23") from None
    return value


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("empty text; write the words or remove the entry")
    return value.strip()


def _flat(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9'+/&.@ -]*", value):
        raise ValueError("lower case without accents, as people type it")
    return value


Said = Annotated[str, AfterValidator(_said)]
Flat = Annotated[str, AfterValidator(_flat)]
FormatId = Literal["inter", "intra", "distance"]
Phrases = Annotated[tuple[Said, ...], Field(strict=False, description="Ce que les gens écrivent vraiment, une ligne par phrase.")]


class ProgrammeForm(Form):
    """Le programme auquel la fiche est consacrée."""

    title: Said
    names: tuple[Said, ...] = Field(default=(), strict=False, description="Comment les gens le nomment.")


class HeadForm(Form):
    """La page d'où viennent les réponses."""

    title: Said = Field(description="Titre de la page, montré comme source.")
    updated: Annotated[str, AfterValidator(_date)] = Field(description="Date du dernier relevé, AAAA-MM-JJ.")
    programme: ProgrammeForm | None = None


class AnswersForm(Form):
    """Un texte « all », ou un texte par format. {nom_du_fait} reprend un fait."""

    all: Said | None = None
    inter: Said | None = None
    intra: Said | None = None
    distance: Said | None = None


class TopicForm(Form):
    """Un sujet. Sans titre ni phrases : un complément à un sujet d'une autre fiche."""

    title: Said | None = Field(None, description="Complète « votre question porte sur ... ».")
    button: Annotated[Said | None, Field(description="Texte du bouton, 20 caractères au plus.")] = None
    answers: AnswersForm
    silent: tuple[FormatId, ...] = Field(default=(), strict=False, description="Formats pour lesquels les pages ne disent rien.")
    phrases: Phrases = ()


class SheetForm(Form):
    """Une fiche : des faits, et des sujets dont les réponses les reprennent."""

    sheet: HeadForm
    facts: dict[str, Said] = Field(default_factory=dict, description="Chaque fait une seule fois.")
    topics: dict[str, TopicForm] = Field(default_factory=dict)


class ClassForm(Form):
    """Une classe de messages qui n'ont pas leur réponse dans une fiche."""

    kind: Literal["smalltalk", "request", "handoff", "unknown", "offtopic", "context"]
    tells: str | None = Field(None, description="Sujet dont la règle est rappelée.")
    private: bool = Field(False, description="Va au référent handicap seul.")
    phrases: Phrases


class ConversationForm(Form):
    classes: dict[str, ClassForm]


class WordsForm(Form):
    """Abréviations, mots régionaux, mots de la santé."""

    abbreviations: dict[Flat, Said] = Field(default_factory=dict)
    synonyms: dict[Flat, Said] = Field(default_factory=dict)
    health: tuple[Flat, ...] = Field(default=(), strict=False)


class FormatForm(Form):
    label: Said
    button: Said
    names: tuple[Flat, ...] = Field(strict=False)


class FormatsForm(Form):
    formats: dict[FormatId, FormatForm]


class VoiceForm(Form):
    lines: dict[str, Said]


Share = Annotated[float, Field(strict=False, ge=0, le=1)]
Cost = Annotated[float, Field(strict=False, ge=0)]


class CostsForm(Form):
    """Ce que coûte une erreur ; l'unité est une transmission inutile au formateur."""

    missed: Cost
    wrong: Cost
    needless: Cost
    asked: Cost
    short: Cost


class ThresholdsForm(Form):
    """Probabilités à partir desquelles une partie d'un message compte ; trouvées par « accueil tune »."""

    alone: Share
    sure: Share
    stated: Share
    sure_alone: Share
    beside: Share
    help: Share
    doubt: Share
    clause: Share
    unsure: Share
    margin: Share
    near: Share
    dropped: Share = 0.5
    added: Share = 0.7
    spared: Share = 0.15
    called: Share = 0.3
    far: Share = 0.8


Weight = Annotated[float, BeforeValidator(float)]  # a file's values are texts


class WeightsForm(Form):
    """Poids des indices d'un message entier ; trouvés par « accueil tune »."""

    topic: dict[str, Weight]
    need: dict[str, Weight]
    far: dict[str, Weight]

    @model_validator(mode="after")
    def _complete(self) -> WeightsForm:
        for kind, names in READINGS.items():
            given = getattr(self, kind)
            if set(given) != set(names):
                odd = ", ".join(sorted(set(given) ^ set(names)))
                raise ValueError(f"the weights are not those of this version ({odd}); run: accueil tune --write")
        return self


class PolicyForm(Form):
    """Les coûts, et les seuils qui en découlent."""

    costs: CostsForm
    thresholds: ThresholdsForm
    weights: WeightsForm | None = None


class EnglishTopicForm(Form):
    """Un sujet en anglais : ce que dit sa fiche, et ce qu'y ajoutent d'autres."""

    title: Said | None = None
    button: Annotated[Said | None, Field(description="Texte du bouton, 20 caractères au plus.")] = None
    answers: AnswersForm = AnswersForm()
    adds: dict[str, AnswersForm] = Field(default_factory=dict, description="Nom de la fiche qui complète, sans .yaml.")


class EnglishFormatForm(Form):
    label: Said
    button: Said


FactNames = Annotated[tuple[Said, ...], Field(strict=False)]


class EnglishForm(Form):
    """Ce que lit en anglais un stagiaire qui écrit en anglais. Les faits restent dans les fiches : {nom_du_fait}."""

    language: Literal["en"]
    same: FactNames = Field((), description="Faits qui se lisent tels quels : noms, adresses.")
    times: FactNames = Field((), description="Faits où « 9 h » est une heure de la journée : 9 am.")
    durations: FactNames = Field((), description="Faits où « 14 h » est une durée : 14 hours.")
    values: dict[str, Said] = Field(default_factory=dict, description="Valeur d'un fait en français : la même en anglais.")
    formats: dict[FormatId, EnglishFormatForm] = Field(default_factory=dict)
    topics: dict[str, EnglishTopicForm] = Field(default_factory=dict)
    lines: dict[str, Said] = Field(default_factory=dict)


# the first of these keys that a file holds tells its form
FORMS: dict[str, type[Form]] = {
    "language": EnglishForm,
    "sheet": SheetForm,
    "classes": ConversationForm,
    "formats": FormatsForm,
    "lines": VoiceForm,
    "words": WordsForm,
    "costs": PolicyForm,
}
