"""Free text made fit to be shown to a model as data: no names, no files, no paths, nothing that gives orders."""

from __future__ import annotations

import re
import unicodedata
from itertools import takewhile

from services.prompt.domain.names import plain
from services.prompt.domain.rules import RuleContext

_ADDRESS = re.compile(r"\b\w[\w+.-]{0,20}://\S+|\bwww\.\S+|[^\s@]{0,64}@[^\s@]{1,200}", re.IGNORECASE)
_PATH = re.compile(
    r"(?<!\w)(?:[A-Za-z]:[\\/]|~?/(?=\w)|\\\\|\.\.?[\\/])[^,;\n]*"
    r"|\b(?:Users|home|Volumes|Documents|Desktop|Downloads|Library|Samples|Projects?)[\\/][^,;\n]*",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"(?<!\S)\S+?\.(?:wav|aiff?|mp3|m4a|flac|ogg|opus|als|alp|amxd|adg|adv|mid|midi|zip|asd|txt|json|exe|sh|py)\b",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[<>{}\[\]|`\\#*_=~^$\"“”«»]+")
_CLAUSE = re.compile(r"(?<=[.!?;:\u3002\uff01])\s*|\s[-\u2013\u2014]{1,3}\s|[\r\n]+")
# What orders to a model begin with, in the languages in which they are met most. Names in a Live Set need no such
# list, since only known words of them are kept; this one is for what people write about their own music.
_ORDER = re.compile(
    r"""
    \b(?:ignor\w*|disregard|forget|overrid\w*|bypass|jailbreak|vergiss|missachte|oubli\w+|olvid\w+|esque[cç]\w+|dimentica)\b
    | \b(?:system|developer|assistant|user)\s*(?:prompt|message|role|:)
    | \b(?:instruction|anweisung|istruzion|instruccion|instru[cç])\w*
    | \b(?:you\sare\snow|act\sas|pretend|from\snow\son|instead\sof\s(?:the|a)\scaption)\b
    | \bas\san?\s(?:ai|language\smodel)\b
    | ^\W*(?:please\s+)?(?:output|print|write|say|repeat|respond|reply|answer|return|echo|reveal)\b
    | ^\W*(?:please\s+)?(?:translate|execute|call|insert|append|mention|name|cite|quote|credit)\b
    | \b(?:output|print|write|say|repeat|respond|reply|answer)\s+(?:only|exactly|with|this)\b
    | \b(?:output|print|write|say|repeat|respond|reply|answer)\s+the\s+(?:following|words?|text)\b
    | \b(?:antworte|schreibe?|gib|sage?|r[eé]ponds?|[eé]cri[stv]\w*|responde|escribe|escreva|diga|rispondi|scrivi)\b
    | \b(?:end|start|begin)\s+of\s+(?:data|input|prompt|context)\b | \bBPM\s*[:=]
    | (?:output|print|write|say|repeat|respond|reply|answer|append|mention|quote)\s*:
    | <\| | \[/?INST | <</?SYS | </?[a-z]+\s*> | ``` | ["']\s*: | \bDATA-[0-9a-f]{8}
    | игнорир | забудь | напиши | ответь | 忽略 | 忘记 | 输出 | 無視 | 出力 | 무시 | 출력 | تجاهل | اكتب | התעלם | अनदेखा
    """,
    re.IGNORECASE | re.VERBOSE,
)


def safe_text(text: str, context: RuleContext, *, longest: int = 300) -> str:
    """The text as data for a model, at most `longest` characters; empty when nothing of it is fit.

    The text ends before the first clause that gives orders; names that captions may not hold are cut out.
    """
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", "\n", text[: 6 * longest])
    text = plain(unicodedata.normalize("NFKC", plain(text)))
    text = context.without_names(text)  # first as it is, since a file's name is more than its words
    for form in (_ADDRESS, _PATH, _FILE):
        text = form.sub(" ", text)
    clauses = takewhile(lambda clause: not _ORDER.search(clause), _CLAUSE.split(text))
    text = " ".join(_MARKS.sub(" ", " ".join(clauses)).split())
    # Cutting out may have put two halves of a name together.
    text = " ".join(context.without_names(text).split()).strip(" ,;:-")
    return text[:longest].rstrip() if any(c.isalnum() for c in text) else ""
