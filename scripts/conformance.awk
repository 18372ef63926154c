# The work of scripts/conformance. Input: the statements, then the tests (MODE=tests), then every source (MODE=mentions).

function wrong(what) {
    print "conformance: " FILENAME ":" FNR ": " what > "/dev/stderr"
    failed = 1
}

# ---- The statements ------------------------------------------------------------------------------------------------

function add_statement(version, number, role, text, reasons) {
    key = version " " number
    if (key in binds) return wrong(number " is there twice")
    order[version, ++count[version]] = number
    binds[key] = role
    says[key] = text
    for (i = 1; i <= reasons; ++i) {
        side = ""
        if (reason[i] ~ /^(client|server): /) {
            side = substr(reason[i], 1, 6)
            reason[i] = substr(reason[i], 9)
        }
        if (side != "server") why[key, "client"] = reason[i]
        if (side != "client") why[key, "server"] = reason[i]
    }
}

MODE == "" {
    if (/^#/) next
    columns = split($0, column, "\t")
    if (columns < 4 || column[1] !~ /^(3|5|both)$/ || column[3] !~ /^(client|server|both)$/) {
        wrong("not a statement")
        next
    }
    known[column[2]] = 1
    if (column[1] == "both") same[column[2]] = 1
    for (v = 3; v <= 5; v += 2)
        if (column[1] == v || column[1] == "both") {
            for (c = 5; c <= columns; ++c) reason[c - 4] = column[c]
            add_statement(v, column[2], column[3], column[4], columns - 4)
        }
    next
}

# ---- The tags ------------------------------------------------------------------------------------------------------

# Whose conduct the tests of a file look at.
function sides_of(file) {
    if (file ~ /^tests\/broker\//) return "server"
    if (file ~ /^tests\/(core\/codec|sim|interop)\// || file ~ /^tests\/(core\/topic|io\/websocket)_/) return "client server"
    return "client"
}

function show(version, number, test,    key, id) {
    key = version " " number
    id = key SUBSEP FILENAME SUBSEP test
    if (id in shown) return
    shown[id] = 1
    shows[key] = shows[key] FILENAME " " test "\n"
}

# The version a test is about, by the end of its suite's name; 0 for both.
function version_of(test,    suite) {
    suite = substr(test, 1, index(test, ".") - 1)
    return suite ~ /5$/ ? 5 : suite ~ /(311|V3)$/ ? 3 : 0
}

# A tag in the text, as it was written: counts for the test.
function tag(written, test,    version, number) {
    version = substr(written, 6, 1) == "-" ? version_of(test) : substr(written, 6, 1)
    number = substr(written, index(written, "-") + 1)
    number = substr(number, 1, length(number) - 1)
    if (!(number in known) || (version && !((version " " number) in binds)))
        return wrong(written " is no statement" (version ? " of version " version : ""))
    if (!version) {
        version = ((3 " " number) in binds ? 3 : 0) + ((5 " " number) in binds ? 5 : 0)
        if (version == 8 && !(number in same))
            return wrong(written " is not the same in both versions: say [MQTT3-" number "] or [MQTT5-" number "]")
    }
    if (version != 5) show(3, number, test)
    if (version != 3) show(5, number, test)
}

FNR == 1 {
    test = last = waiting = ""
    cases = 0
}

MODE == "tests" {
    if (/^TEST(_F|_P)?\(/) {
        if (!index($0, ")")) wrong("a test whose name does not fit into its line")
        test = substr($0, index($0, "(") + 1)
        test = substr(test, 1, index(test, ")") - 1)
        sub(/, */, ".", test)
        last = test
        tags = split(waiting, tags_waiting, " ")
        for (i = 1; i <= tags; ++i) tag(tags_waiting[i], test)
        waiting = ""
    }
    # The cases of a suite belong to the test above them.
    if (/^INSTANTIATE_/) cases = 1
    if (/^$/) cases = 0
    owner = test == "" && cases ? last : test
    rest = $0
    comment = index($0, "//")
    at = 0
    while (match(rest, /\[MQTT[35]?-[0-9]+\.[0-9]+(\.[0-9]+)?-[0-9]+\]/)) {
        written = substr(rest, RSTART, RLENGTH)
        at += RSTART
        rest = substr(rest, RSTART + 1)
        if (written ~ /^\[MQTT-/ && (comment == 0 || at < comment)) continue # a string: what an error says
        if (owner == "")
            waiting = waiting " " written
        else
            tag(written, owner)
    }
    if (/^}/ || (/^TEST/ && /}( *\/\/.*)?$/)) test = ""
    next
}

# Elsewhere a number without a version is enough, as long as it is one.
MODE == "mentions" {
    rest = $0
    while (match(rest, /MQTT[35]?-[0-9]+\.[0-9]+(\.[0-9]+)?-[0-9]+/)) {
        number = substr(rest, RSTART, RLENGTH)
        sub(/^MQTT[35]?-/, "", number)
        rest = substr(rest, RSTART + RLENGTH)
        if (!(number in known)) wrong("MQTT-" number " is no statement")
    }
}

# ---- The page ------------------------------------------------------------------------------------------------------

function link(file_and_test,    part) {
    split(file_and_test, part, " ")
    return "[`" part[2] "`](../" part[1] ")"
}

# The tests that look at the side, as links.
function tests_of(key, side,    all, n, i, list) {
    n = split(shows[key], all, "\n")
    for (i = 1; i < n; ++i)
        if (index(sides_of(all[i]), side)) list = list (list == "" ? "" : ", ") link(all[i])
    return list
}

function evidence(key,    role, i, n, side, list, cell, other) {
    role = binds[key]
    n = split(role == "both" ? "client server" : role, side, " ")
    for (i = 1; i <= n; ++i) {
        list = tests_of(key, side[i])
        total[substr(key, 1, 1), side[i]]++
        if (list != "") {
            tested[substr(key, 1, 1), side[i]]++
            if ((key, side[i]) in why) complain(key, side[i] ": tested, but has a reason why it is not")
        } else if ((key, side[i]) in why) {
            list = "not tested: " why[key, side[i]]
        } else {
            complain(key, side[i] ": neither a test nor a reason")
        }
        part[i] = list
    }
    if (n == 2) return part[1] == part[2] ? part[1] : "client: " part[1] "<br>server: " part[2]
    other = role == "client" ? "server" : "client"
    list = tests_of(key, other)
    return part[1] (list == "" || list == part[1] ? "" : "<br>enforced by the " other ": " list)
}

function complain(key, what) {
    print "conformance: MQTT" substr(key, 1, 1) "-" substr(key, 3) ": " what > "/dev/stderr"
    failed = 1
}

function table(version, title,    i, key) {
    body = body "\n## " title "\n\n| Number | Binds | Statement | Shown by |\n|---|---|---|---|\n"
    for (i = 1; i <= count[version]; ++i) {
        key = version " " order[version, i]
        body = body "| MQTT-" order[version, i] " | " binds[key] " | " says[key] " | " evidence(key) " |\n"
    }
}

function summary(version, name, side,    all) {
    all = total[version, side]
    return sprintf("| %s | %s | %d | %d | %d |\n", name, side, all, tested[version, side], all - tested[version, side])
}

END {
    table(3, "MQTT 3.1.1")
    table(5, "MQTT 5.0")
    head = "| Version | Binds | Statements | With a test | With a reason why not |\n|---|---|---|---|---|\n" \
        summary(3, "3.1.1", "client") summary(3, "3.1.1", "server") summary(5, "5.0", "client") summary(5, "5.0", "server")
    printf "# Conformance\n\nThe normative statements of the two specifications, by their numbers and in our words, and the tests that show them: " \
        "%d of MQTT 3.1.1, %d of MQTT 5.0. A statement that binds both sides is counted for each. The client is the library; the " \
        "server is the broker of the test kit. Made by [`scripts/conformance`](../scripts/conformance): do not edit.\n\n%s%s", \
        count[3], count[5], head, body > page
    gsub(/\|---.*---\|\n/, "", head)
    printf "%s", head
    exit failed
}
