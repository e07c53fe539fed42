#!/usr/bin/env python3
"""Writes the 600 orders of fixtures/orders.ndjson to standard output, the same bytes each time.

    scripts/make-fixtures.py > fixtures/orders.ndjson

People, streets and goods are made up. Card numbers cannot exist: no issuer's
numbers begin with 0000, and the check digit is wrong. Only random.random() is
drawn from, the one method whose sequence Python keeps between versions.
"""

import json
import random
import sys

COUNT = 600
DRAW = random.Random(10320478).random

# Given names, family names, streets, cities with postal codes, dialling code, name order.
PLACES = [
    ("葵 大翔 美咲 健太 千尋 蓮", "山田 佐々木 髙橋 渡邉 小鳥遊", "本町 緑が丘 桜台 港南", "東京都港区 〒105-0099|大阪市北区 〒530-0099|札幌市中央区 〒060-0099", "+81", "{f} {g}"),
    ("Jürgen Käthe Sören Änne Björn Uwe", "Müßig Größler Krähenbühl Öttinger Weiß", "Hauptstraße Mühlgäßchen Am Bächle Königsweg", "99999 Köln|99998 Düsseldorf|99997 Würzburg", "+49", "{g} {f}"),
    ("Ελένη Γιώργος Δήμητρα Νίκος Θάλεια", "Παπαδάκης Βασιλείου Ξενάκη Ψαρρός", "Οδός_Ελιάς Λεωφόρος_Θαλάσσης Ερμού", "ΤΚ 10999 Αθήνα|ΤΚ 54999 Θεσσαλονίκη", "+30", "{g} {f}"),
    ("ليلى يوسف مريم خالد نور", "الحداد النجار العطار الخياط", "شارع_الزيتون شارع_البحر ساحة_السوق", "القاهرة 11999|بيروت 1099|عمّان 11199", "+20", "{g} {f}"),
    ("Zoë François Éloïse Anaïs Noël", "Lefèvre D'Août Çelik-Roux Bâtard Œuvrard", "rue_de_l'Écluse allée_des_Érables quai_d'Orge", "75999 Paris|33999 Bordeaux", "+33", "{g} {f}"),
    ("Łucja Żaneta Święty Grażyna Bogumił", "Wójcik Brzęczyszczykiewicz Śliwa Źrebiec", "ul._Źródlana ul._Łąkowa al._Żubrów", "00-999 Łódź|30-999 Kraków", "+48", "{g} {f}"),
    ("Їванна Олексій Ганна Юрій Зоя", "Щербак Єфименко Ґудзь Яворська", "вул._Садова просп._Миру", "01999 Київ|79999 Львів", "+380", "{g} {f}"),
    ("지우 서연 민준 하은", "김 이 박 황보", "은행로 달빛길 바닷가로", "서울특별시 04599|부산광역시 48999", "+82", "{f}{g}"),
    ("आरव मीरा कृष्ण ज्योति", "शर्मा त्रिपाठी श्रीवास्तव", "गांधी_मार्ग नदी_रोड", "नई दिल्ली 110999|पुणे 411999", "+91", "{g} {f}"),
    ("נועה איתי שירה דוד", "כהן לוי פרץ", "רחוב_הזית שדרות_הים", "תל אביב 6199999|חיפה 3199999", "+972", "{g} {f}"),
    ("Þóra Ægir Sigríður Guðmundur", "Jónsdóttir Ólafsson Þórsson", "Bæjargata Vesturhöfn", "199 Reykjavík|699 Akureyri", "+354", "{g} {f}"),
    ("Thảo Đức Ngọc Hương", "Nguyễn Trần Đặng", "đường_Lá_Xanh ngõ_Sông", "Hà Nội 19999|Huế 49999", "+84", "{f} {g}"),
    ("Amy Liam Grace Omar Priya", "Baker O'Leary Smith-Jones Fletcher", "Mill_Lane Station_Road Harbour_Street", "London ZZ1 9ZZ|Leeds ZZ2 9ZZ", "+44", "{g} {f}"),
    ("José Íñigo Begoña Muñeca", "Núñez Ibáñez Güell", "calle_del_Río avenida_Señorío", "28999 Madrid|06999 Ciudad de México", "+52", "{g} {f}"),
]

GOODS = [
    ("T-01", "teapot, cast iron", 4150), ("T-02", "急須 (常滑焼)", 3800), ("B-10", "Brötchen-Backstein", 2490), ("B-11", "bicycle bell ♪", 1275),
    ("K-07", "κανάτα 1 λίτρο", 1990), ("L-03", "lantern \"Polaris\"", 5600), ("S-21", "صابون الغار", 450), ("S-22", "scarf, wool/silk 50/50", 8900),
    ("P-05", "pencil set <24 colours>", 1599), ("P-06", "Pączki & Krapfen box", 1820), ("M-14", "music box 🎶", 7250), ("M-15", "map, back\\slash fold", 980),
    ("G-30", "gimbap mat 김밥", 390), ("H-02", "hammock", 6400), ("C-19", "crème brûlée torch", 3275), ("N-08", "notebook, squared", 520),
]

NOTES = [
    "", "", "", "please ring twice", "Gift wrap: 🎁, no price on the slip", "Lieferung nur vormittags;\nbitte nicht beim Nachbarn",
    "段ボールは\t小さめで\r\nお願いします", "size \"M\", if sold out \"L\"", "path C:\\orders\\new", "nul \u0000 and escape \u001b[31m inside", "اتركه عند الباب",
    "e\u0301 decomposed, é composed", "\u2028line and \u2029paragraph separators", "👩‍🚀👩🏽‍🌾 left at the gate", "</script><!-- ", "x" * 200,
]


def below(n):
    return int(DRAW() * n)


def pick(choices):
    return choices[below(len(choices))]


def word(words):
    return pick(words.split()).replace("_", " ")


def card():
    """Sixteen digits that fail the Luhn check."""
    digits = [0, 0, 0, 0] + [below(10) for _ in range(11)]
    total = sum(d if i % 2 else d * 2 - 9 * (d > 4) for i, d in enumerate(digits))
    digits.append((-total + 1 + below(9)) % 10)
    text = "".join(map(str, digits))
    return " ".join(text[i : i + 4] for i in range(0, 16, 4))


def person():
    given, family, streets, cities, code, order = pick(PLACES)
    return {
        "name": order.format(g=word(given), f=word(family)),
        "address": f"{word(streets)} {1 + below(199)}, {pick(cities.split('|'))}",
        "telephone": f"{code} 0{below(90) + 10} {below(9000) + 1000}",
    }


def item():
    number, name, price = pick(GOODS)
    return {"item": number, "name": name, "quantity": 1 + below(12), "price": price}


def order(number):
    result = {"order": number, **person(), "items": [item() for _ in range(1 + below(5))], "card": card()}
    if below(3) == 0:
        result["delivery_address"] = person()
    note = pick(NOTES)
    if note:
        result["note"] = note
    if number % 40 == 7:  # close to 3 kB
        result["items"] += [item() for _ in range(24 + below(8))]
    if number % 150 == 99:  # a whole season at once
        result["items"] += [item() for _ in range(250 + below(250))]
    if number % 100 == 50:  # as short as an order can be
        result = {"order": number}
    if number % 12 == 5 and number % 100 != 50:  # a regular customer: about 100 bytes
        result = {"order": number, "name": result["name"], "items": [{"item": pick(GOODS)[0], "quantity": 1 + below(9)}]}
    return result


def main():
    out = sys.stdout.buffer
    for number in range(1, COUNT + 1):
        compact = (",", ":") if below(4) else (", ", ": ")
        line = json.dumps(order(number), ensure_ascii=below(10) == 0, separators=compact)
        out.write(line.encode("utf-8") + b"\n")


if __name__ == "__main__":
    main()
