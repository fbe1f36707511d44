/// A binary heap, smallest first.
extension [UInt64] {
    mutating func pushToHeap(_ value: UInt64) {
        append(value)
        var index = count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard self[parent] > value else { break }
            self[index] = self[parent]
            index = parent
        }
        self[index] = value
    }

    mutating func popSmallest() -> UInt64? {
        guard let smallest = first, let last = popLast() else { return nil }
        guard !isEmpty else { return smallest }
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < count else { break }
            if child + 1 < count, self[child + 1] < self[child] { child += 1 }
            guard self[child] < last else { break }
            self[index] = self[child]
            index = child
        }
        self[index] = last
        return smallest
    }
}
