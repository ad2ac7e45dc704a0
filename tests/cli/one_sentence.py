"""What every bad input gets."""




def assert_one_sentence(done, *words, status=2):
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("rehearse: ")]
    assert len(lines) == 1
    assert done.stderr.splitlines()[-1] == lines[0]
    assert lines[0].endswith((".", "?"))
    for word in words:
        assert word in lines[0]
