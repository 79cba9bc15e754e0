# fish completion for hatoba

function __hatoba_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] __complete $words[2..-1] 2>/dev/null
end

complete -c hatoba -f -a '(__hatoba_complete)'
