"""Sentences in many languages, written for these tests: short, middling and long ones of everyday matters."""

# ruff: noqa: RUF001 - letters of other scripts

from __future__ import annotations

SENTENCES = {
    "en": (
        "The shop opens at nine.",
        "Please send the form back before Friday.",
        "We walked along the river until it got dark and then took the last bus home.",
    ),
    "de": (
        "Der Laden öffnet um neun.",
        "Bitte senden Sie das Formular vor Freitag zurück.",
        "Wir gingen am Fluss entlang, bis es dunkel wurde, und nahmen dann den letzten Bus nach Hause.",
    ),
    "fr": (
        "Le magasin ouvre à neuf heures.",
        "Veuillez renvoyer le formulaire avant vendredi.",
        "Nous avons marché le long de la rivière jusqu'à la nuit, puis nous avons pris le dernier bus.",
    ),
    "es": (
        "La tienda abre a las nueve.",
        "Por favor, devuelva el formulario antes del viernes.",
        "Caminamos junto al río hasta que oscureció y después tomamos el último autobús a casa.",
    ),
    "it": (
        "Il negozio apre alle nove.",
        "Si prega di restituire il modulo entro venerdì.",
        "Abbiamo camminato lungo il fiume finché non è diventato buio e poi abbiamo preso l'ultimo autobus.",
    ),
    "pt": (
        "A loja abre às nove horas.",
        "Por favor, devolva o formulário antes de sexta-feira.",
        "Caminhámos ao longo do rio até escurecer e depois apanhámos o último autocarro para casa.",
    ),
    "nl": (
        "De winkel gaat om negen uur open.",
        "Stuur het formulier alstublieft voor vrijdag terug.",
        "We liepen langs de rivier tot het donker werd en namen toen de laatste bus naar huis.",
    ),
    "sv": (
        "Butiken öppnar klockan nio.",
        "Skicka tillbaka blanketten före fredag, tack.",
        "Vi gick längs floden tills det blev mörkt och tog sedan den sista bussen hem.",
    ),
    "fi": (
        "Kauppa aukeaa yhdeksältä.",
        "Palauttakaa lomake ennen perjantaita.",
        "Kävelimme joen vartta kunnes tuli pimeä, ja sitten menimme viimeisellä bussilla kotiin.",
    ),
    "pl": (
        "Sklep otwiera się o dziewiątej.",
        "Proszę odesłać formularz przed piątkiem.",
        "Szliśmy wzdłuż rzeki, aż zrobiło się ciemno, a potem wróciliśmy do domu ostatnim autobusem.",
    ),
    "cs": (
        "Obchod otevírá v devět hodin.",
        "Vraťte prosím formulář do pátku.",
        "Šli jsme podél řeky, dokud se nesetmělo, a potom jsme jeli domů posledním autobusem.",
    ),
    "hu": (
        "Az üzlet kilenckor nyit.",
        "Kérjük, küldje vissza az űrlapot péntekig.",
        "A folyó mentén sétáltunk, amíg be nem sötétedett, aztán az utolsó busszal mentünk haza.",
    ),
    "tr": (
        "Dükkan saat dokuzda açılıyor.",
        "Lütfen formu cuma gününden önce geri gönderin.",
        "Hava kararana kadar nehir boyunca yürüdük ve sonra son otobüsle eve döndük.",
    ),
    "ru": (
        "Магазин открывается в девять.",
        "Пожалуйста, верните бланк до пятницы.",
        "Мы шли вдоль реки, пока не стемнело, а потом поехали домой на последнем автобусе.",
    ),
    "uk": (
        "Крамниця відчиняється о дев'ятій.",
        "Будь ласка, поверніть бланк до п'ятниці.",
        "Ми йшли вздовж річки, доки не стемніло, а потім поїхали додому останнім автобусом.",
    ),
    "el": (
        "Το κατάστημα ανοίγει στις εννέα.",
        "Παρακαλώ επιστρέψτε το έντυπο πριν από την Παρασκευή.",
        "Περπατήσαμε δίπλα στο ποτάμι μέχρι που νύχτωσε και μετά πήραμε το τελευταίο λεωφορείο.",
    ),
    "ar": (
        "يفتح المتجر في الساعة التاسعة.",
        "يرجى إعادة الاستمارة قبل يوم الجمعة.",
        "مشينا على طول النهر حتى حل الظلام ثم ركبنا آخر حافلة إلى البيت.",
    ),
    "he": (
        "החנות נפתחת בשעה תשע.",
        "נא להחזיר את הטופס לפני יום שישי.",
        "הלכנו לאורך הנהר עד שהחשיך ואחר כך נסענו הביתה באוטובוס האחרון.",
    ),
    "hi": (
        "दुकान नौ बजे खुलती है।",
        "कृपया शुक्रवार से पहले फ़ॉर्म वापस भेजें।",
        "हम अँधेरा होने तक नदी के किनारे चलते रहे और फिर आख़िरी बस से घर लौटे।",
    ),
    "zh": (
        "商店九点开门。",
        "请在星期五之前把表格寄回来。",
        "我们沿着河边一直走到天黑,然后坐最后一班公共汽车回家。",
    ),
    "ja": (
        "店は九時に開きます。",
        "金曜日までに用紙を返送してください。",
        "暗くなるまで川に沿って歩き、それから最終バスで家に帰りました。",
    ),
    "ko": (
        "가게는 아홉 시에 문을 엽니다.",
        "금요일 전까지 서류를 다시 보내 주세요.",
        "우리는 어두워질 때까지 강을 따라 걷다가 마지막 버스를 타고 집에 돌아왔습니다.",
    ),
}
"""ISO 639-1 code -> a short, a middling and a long sentence."""
