"""Words whose full stop does not end a sentence: lower case, without it; English, German, French, Spanish, Italian."""

from __future__ import annotations

_NEVER_LAST = """
mr mrs messrs dr prof hon rev gen col sgt capt cmdr adm maj gov sen rep pres supt mme mlle frl sra srta sig dott ing
avv e.g i.e z.b d.h u.a v.a p.ex cf vgl viz vs bzw ggf evtl sog inkl exkl zzgl insb insbes approx ca
"""

_BEFORE_NAMES_OR_NUMBERS = """
no nos nr ms det st ste mt ft hr fr sr lt num fig figs eq eqs vol vols ch chap sec sect p pp pg art ed eds tab app
ex abb abs bd s kap jan feb mar apr jun jul aug sep sept oct nov dec okt dez al hrsg univ dept dist bros mfg nat str
"""

_MAY_END_A_SENTENCE = """
etc inc ltd co corp jr sr esq ph.d m.d b.a m.a b.sc m.sc a.m p.m a.d b.c b.c.e c.e usw usf u.s.w
"""

_MONTHS = """
januar februar märz april mai juni juli august september oktober november dezember jahrhundert
"""

_SENTENCE_OPENERS = """
The A An In On At It He She They We You I This That These Those There Here When Where While After Before Since
During If As But And Or So For From With By To Of His Her Its Their Our My Your However Although Though Because Both
Many Most Some Several Such Then Thus Also Another Other Each All No Not One Two What Who How Why Which Under Over
Between Der Die Das Ein Eine Er Sie Es Wir Ich Im In Am An Auf Bei Nach Vor Seit Mit Von Zu Zum Zur Dies Diese
Dieser Dieses Aber Und Oder Als Wenn Da Daher Dort Hier Auch Beide Viele Einige Le La Les Un Une Il Elle Ils Elles
On Nous Vous Ce Cet Cette Ces Dans En Au Aux Pour Par Sur Avec Mais Et Ou Si Quand El Los Las Una Uno Su Sus Este
Esta Esto Estos Estas Se Con Por Para Pero Y O Cuando Lo Gli Nel Nella Della Questo Questa
"""

NEVER_LAST = frozenset(_NEVER_LAST.split())
"""Always followed by the rest of the sentence."""

BEFORE_NAMES_OR_NUMBERS = frozenset(_BEFORE_NAMES_OR_NUMBERS.split())
"""Followed by a name or a number, unless a word that often opens a sentence comes next."""

MAY_END_A_SENTENCE = frozenset(_MAY_END_A_SENTENCE.split())
"""They end a sentence when the next word starts with a capital letter."""

MONTHS = frozenset(_MONTHS.split())
"""What follows a German ordinal number."""

SENTENCE_OPENERS = frozenset(_SENTENCE_OPENERS.split())
"""Capitalised words that open a sentence far more often than they begin a name."""
